#!/usr/bin/env python3
"""Makes the sample, data/user_log.csv: 10,000 rows in the format of the tutorial's user_log.csv.

usage: data/generate.py > data/user_log.csv

Columns, without a header: user_id, item_id, cat_id, merchant_id, brand_id, month, day, action,
age_range, gender, province. The seed is fixed: the same bytes every time. Busy and quiet stretches
take turns: in a busy one many buy and most are known, in a quiet one people look around and more
rows carry no gender; women and men swing against each other, so that the lines on the page move.
"""
import math
import random

ROWS = 10_000
PROVINCES = (
    "北京市 天津市 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海市 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 "
    "广东 广西 海南 重庆市 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门").split()
PEOPLE = [22, 14, 61, 35, 24, 43, 24, 31, 25, 85, 65, 60, 42, 45, 102, 99, 58, 66,
          126, 50, 10, 32, 84, 39, 47, 4, 40, 25, 6, 7, 26, 23, 7, 1]


def weighted(rng, pairs):
    at = rng.random() * sum(weight for _, weight in pairs)
    for value, weight in pairs:
        at -= weight
        if at < 0:
            return value
    return pairs[-1][0]


def gender(rng, row, busy):
    swing = 0.25 * math.sin(row / 97)
    unknown = 0.04 if busy else 0.12
    return weighted(rng, [("0", (1 - unknown) * (2 + swing) / 3), ("1", (1 - unknown) * (1 - swing) / 3),
                          ("2", unknown * 0.6), ("NULL", unknown * 0.2), ("", unknown * 0.2)])


def action(rng, busy):
    if busy:
        return weighted(rng, [("0", 70), ("1", 4), ("2", 20), ("3", 6)])
    return weighted(rng, [("0", 90), ("1", 1), ("2", 4), ("3", 5)])


def age(rng):
    return weighted(rng, [("0", 22), ("1", 1), ("2", 12), ("3", 26), ("4", 19), ("5", 10), ("6", 8),
                          ("7", 2), ("8", 1), ("NULL", 1)])


def main():
    rng = random.Random(20151111)
    user, left = 0, 0
    for row in range(ROWS):
        busy = math.sin(row / 211) + 0.6 * math.sin(row / 37) > 0
        if left == 0:  # a visitor leaves several rows behind
            user, left = rng.randrange(1, 424_170), rng.randrange(1, 12)
            who = (age(rng), weighted(rng, list(zip(PROVINCES, PEOPLE))))
        left -= 1
        print(user, rng.randrange(1, 1_113_166), rng.randrange(1, 1_672), rng.randrange(1, 4_995),
              rng.randrange(1, 8_844), "11", f"{10 + (row >= ROWS // 10):02d}", action(rng, busy), who[0],
              gender(rng, row, busy), who[1], sep=",")


main()
