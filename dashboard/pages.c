#include "dashboard/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dashboard/history_range.h"

#define ROWS       60
#define RELOAD_S   5
#define QUIET_MS   5000
#define MINUTE_MS  60000
#define GAPS_TO_BE 1 /* windows missing before it is said */

enum words {
    TITLE,
    WINDOW,
    POINT,
    TOTAL,
    OTHER,
    COUNTING,
    MISSING,
    LIVE,
    SILENT,
    NOTHING,
    LOST,
    GONE,
    DRIVER,
    OTHER_LANGUAGE,
    LIVE_PAGE,
    TOKEN,
    WRONG_TOKEN,
    SIGN_IN,
};

static const char *const texts[][2] = {
    [TITLE] = {"Newest windows", "最新窗口"},
    [WINDOW] = {"Window start (UTC)", "窗口开始（UTC）"},
    [POINT] = {"Time (UTC)", "时间（UTC）"},
    [TOTAL] = {"total", "合计"},
    [OTHER] = {"other", "其他"},
    [COUNTING] = {"counting", "统计中"},
    [MISSING] = {"no data: windows missing here:", "没有数据：此处缺少的窗口数："},
    [LIVE] = {"Live", "实时"},
    [SILENT] = {"Connected; no new results for", "已连接；距最近结果已过"},
    [NOTHING] = {"Connected; no results yet", "已连接；还没有结果"},
    [LOST] = {"The server has lost Kafka; last result", "服务器与 Kafka 失去连接；最近结果距今"},
    [GONE] = {"The topic with the results is gone from Kafka; last result",
              "结果主题已从 Kafka 中消失；最近结果距今"},
    [DRIVER] = {"Spark driver", "Spark 驱动程序"},
    [OTHER_LANGUAGE] = {"中文", "English"},
    [LIVE_PAGE] = {"Live page (needs JavaScript)", "实时页面（需要 JavaScript）"},
    [TOKEN] = {"Token", "令牌"},
    [WRONG_TOKEN] = {"That is not the token.", "令牌不对。"},
    [SIGN_IN] = {"Sign in", "登录"},
};

static const char *say(bool zh, enum words word)
{
    return texts[word][zh];
}

static void write_html(const char *text, struct buf *buf)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_text(buf, "&amp;");
            break;
        case '<':
            buf_text(buf, "&lt;");
            break;
        case '>':
            buf_text(buf, "&gt;");
            break;
        case '"':
            buf_text(buf, "&quot;");
            break;
        default:
            buf_char(buf, *text);
        }
    }
}

static void write_head(bool zh, const char *title, struct buf *buf)
{
    buf_format(buf,
               "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
               zh ? "zh" : "en");
    write_html(title, buf);
    buf_text(buf,
             " - tally</title>\n<link rel=\"icon\" href=\"favicon.svg\" type=\"image/svg+xml\">\n"
             "<link rel=\"stylesheet\" href=\"style.css\">\n");
}

/* ---- the table */

static void write_time(int64_t time, bool with_ms, struct buf *buf)
{
    int64_t ms = (time % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((time - ms) / 1000);
    struct tm parts;
    char text[64];

    if (!gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return;
    buf_text(buf, text);
    if (with_ms)
        buf_format(buf, ".%03d", (int)ms);
}

static const char *name_of(const struct spec_series *series, bool zh)
{
    if (zh && !series->zh && strcmp(series->name, "other") == 0) /* a reserved name */
        return say(zh, OTHER);
    return zh && series->zh ? series->zh : series->name;
}

static void write_age(int64_t age, struct buf *buf)
{
    age = age < 0 ? 0 : age;
    if (age < 2LL * MINUTE_MS)
        buf_format(buf, " %lld s", (long long)(age / 1000));
    else
        buf_format(buf, " %lld min", (long long)(age / MINUTE_MS));
}

static void write_state(const struct pages_table *table, struct buf *buf)
{
    int64_t age = table->now - table->last_record;
    int64_t quiet = 3 * table->spec->slide > QUIET_MS ? 3 * table->spec->slide : QUIET_MS;
    enum words state = !table->connected         ? LOST
                       : table->gone             ? GONE
                       : table->last_record == 0 ? NOTHING
                       : age > quiet             ? SILENT
                                                 : LIVE;

    buf_format(buf, "<p role=\"status\">%s", say(table->zh, state));
    if (table->last_record && state != LIVE)
        write_age(age, buf);
    if (table->driver) {
        buf_format(buf, " &middot; %s: ", say(table->zh, DRIVER));
        write_html(table->driver, buf);
    }
    buf_text(buf, "</p>\n");
}

/* Names of jobs and of languages need no escapes in an address. */
static void write_links(const struct pages_table *table, struct buf *buf)
{
    const char *lang = table->zh ? "zh" : "en";

    buf_text(buf, "<nav><p>");
    for (size_t i = 0; table->job_count > 1 && i < table->job_count; i++) {
        bool own = strcmp(table->jobs[i], table->spec->name) == 0;
        buf_format(buf, "<a href=\"table?job=%s&amp;lang=%s\"%s>%s</a> ", table->jobs[i], lang,
                   own ? " aria-current=\"page\"" : "", table->jobs[i]);
    }
    buf_format(buf,
               "<a href=\"table?job=%s&amp;lang=%s\" lang=\"%s\">%s</a> <a href=\"./\">%s</a> "
               "<a href=\"api/windows.csv?job=%s\">CSV</a></p></nav>\n",
               table->spec->name, table->zh ? "en" : "zh", table->zh ? "en" : "zh",
               say(table->zh, OTHER_LANGUAGE), say(table->zh, LIVE_PAGE), table->spec->name);
}

static void write_columns(const struct pages_table *table, bool bare, struct buf *buf)
{
    buf_format(buf, "<thead><tr><th scope=\"col\">%s</th>", say(table->zh, bare ? POINT : WINDOW));
    for (size_t i = 0; i < table->spec->series_count; i++) {
        buf_text(buf, "<th scope=\"col\">");
        write_html(name_of(&table->spec->series[i], table->zh), buf);
        buf_text(buf, "</th>");
    }
    buf_format(buf, "<th scope=\"col\">%s</th></tr></thead>\n", say(table->zh, TOTAL));
}

static void write_row(const struct pages_table *table, const struct record *record, struct buf *buf)
{
    bool bare = record->start == record->end;

    buf_text(buf, "<tr><th scope=\"row\">");
    write_time(record->start, bare || table->spec->slide % 1000 != 0, buf);
    if (!bare && record->end > table->now)
        buf_format(buf, " (%s)", say(table->zh, COUNTING));
    buf_text(buf, "</th>");
    for (size_t i = 0; i < table->spec->series_count; i++)
        buf_format(buf, "<td>%llu</td>", (unsigned long long)record->counts[i]);
    buf_format(buf, "<td>%llu</td></tr>\n", (unsigned long long)record->total);
}

/* Between two windows, the newer one first. */
static void write_gap(const struct pages_table *table, const struct record *newer,
                      const struct record *older, struct buf *buf)
{
    int64_t missing = (newer->start - older->start) / table->spec->slide - 1;

    if (newer->start == newer->end || older->start == older->end || missing < GAPS_TO_BE)
        return;
    buf_format(buf, "<tr><td colspan=\"%zu\">%s %lld</td></tr>\n", table->spec->series_count + 2,
               say(table->zh, MISSING), (long long)missing);
}

void pages_write_table(const struct pages_table *table, struct buf *buf)
{
    const struct record *newest = history_recent(table->history, 0), *record, *older;

    write_head(table->zh, table->spec->name, buf);
    buf_format(buf, "<meta http-equiv=\"refresh\" content=\"%d\">\n</head>\n<body>\n<main>\n<h1>",
               RELOAD_S);
    write_html(table->spec->name, buf);
    buf_text(buf, "</h1>\n");
    write_state(table, buf);
    buf_format(buf, "<table>\n<caption>%s</caption>\n", say(table->zh, TITLE));
    write_columns(table, newest && newest->start == newest->end, buf);
    buf_text(buf, "<tbody>\n");
    for (size_t n = 0; n < ROWS && (record = history_recent(table->history, n)) != NULL; n++) {
        write_row(table, record, buf);
        older = n + 1 < ROWS ? history_recent(table->history, n + 1) : NULL;
        if (older)
            write_gap(table, record, older, buf);
    }
    buf_text(buf, "</tbody>\n</table>\n");
    write_links(table, buf);
    buf_text(buf, "</main>\n</body>\n</html>\n");
}

/* ---- signing in */

void pages_write_sign_in(bool zh, bool wrong, struct buf *buf)
{
    write_head(zh, say(zh, SIGN_IN), buf);
    buf_format(
        buf,
        "</head>\n<body>\n<main class=\"sign-in\">\n<h1>tally</h1>\n%s%s%s<form method=\"get\">\n",
        wrong ? "<p role=\"alert\">" : "", wrong ? say(zh, WRONG_TOKEN) : "",
        wrong ? "</p>\n" : "");
    buf_format(buf,
               "<label>%s <input type=\"password\" name=\"token\" required autofocus "
               "autocomplete=\"current-password\"></label>\n<button class=\"main\">%s</button>\n"
               "</form>\n"
               "</main>\n</body>\n</html>\n",
               say(zh, TOKEN), say(zh, SIGN_IN));
}

void pages_write_signed_in(const char *url, struct buf *buf)
{
    write_head(false, "signed in", buf);
    buf_text(buf, "<meta http-equiv=\"refresh\" content=\"0;url=");
    write_html(url, buf);
    buf_text(buf, "\">\n</head>\n<body>\n<p><a href=\"");
    write_html(url, buf);
    buf_text(buf, "\">tally</a></p>\n</body>\n</html>\n");
}

bool pages_is_chinese(const char *lang, const char *accept_language)
{
    const char *zh, *en;

    if (lang)
        return strncasecmp(lang, "zh", 2) == 0;
    if (!accept_language)
        return false;
    /* Browsers list them in order, with falling weights. */
    zh = strcasestr(accept_language, "zh");
    en = strcasestr(accept_language, "en");
    return zh && (!en || zh < en);
}
