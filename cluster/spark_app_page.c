#include "cluster/spark_app_page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"

#define CELLS_MOST 8 /* "Resource Profile Id" and "Resources" are there since 3.1 */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The text between two places, without tags and the blanks around it; free() it. */
static char *text_of(const char *from, const char *to)
{
    struct buf text = {0};
    bool in_tag = false;

    for (const char *at = from; at < to; at++) {
        if (*at == '<')
            in_tag = true;
        else if (*at == '>')
            in_tag = false;
        else if (!in_tag && !(is_space(*at) && text.length == 0))
            buf_char(&text, *at);
    }
    while (text.length > 0 && is_space(text.data[text.length - 1]))
        text.data[--text.length] = '\0';
    return text.data ? text.data : mem_text("");
}

static bool is_state(const char *text)
{
    static const char *const states[] = {"LAUNCHING", "RUNNING", "KILLED",        "FAILED",
                                         "LOST",      "EXITED",  "DECOMMISSIONED"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], text) == 0)
            return true;
    return false;
}

/* The cells of the row that ends at `end`; their number. */
static int read_cells(const char *row, const char *end, char **cells)
{
    int count = 0;

    while (count < CELLS_MOST) {
        const char *from = memmem(row, (size_t)(end - row), "<td", 3);
        const char *to = from ? memmem(from, (size_t)(end - from), "</td>", 5) : NULL;
        const char *text = to ? memchr(from, '>', (size_t)(to - from)) : NULL;
        if (!text)
            break;
        cells[count++] = text_of(text + 1, to);
        row = to;
    }
    return count;
}

/* Executor, worker, cores, memory, ..., state, logs. */
static void read_row(struct spark_app_page *page, const char *row, const char *end)
{
    char *cells[CELLS_MOST];
    int count = read_cells(row, end, cells);
    const char *state = NULL;
    int64_t number;

    for (int i = 2; i < count && !state; i++)
        if (is_state(cells[i]))
            state = cells[i];
    if (state && number_in_range(cells[0], 0, INT32_MAX, &number)) {
        page->executors = mem_grow(page->executors, page->count + 1, sizeof *page->executors);
        page->executors[page->count++] = (struct spark_executor){
            .id = mem_text(cells[0]), .worker_id = mem_text(cells[1]), .state = mem_text(state)};
        page->running += strcmp(state, "RUNNING") == 0;
    }
    for (int i = 0; i < count; i++)
        free(cells[i]);
}

/* The last link before the words; with the reverse proxy on it is "/proxy/ID", no address. */
static char *read_ui(const char *text)
{
    static const char mark[] = "href=\"";
    const char *words = strstr(text, "Application Detail UI"), *link = NULL;

    for (const char *at = text; words && (at = strstr(at, mark)) && at < words; at += strlen(mark))
        link = at + strlen(mark);
    if (!link || strncmp(link, "http", 4) != 0)
        return mem_text("");
    return mem_bytes(link, strcspn(link, "\""));
}

static int order_executors(const void *one, const void *other)
{
    const struct spark_executor *a = one, *b = other;
    size_t left = strlen(a->id), right = strlen(b->id);

    if (left != right)
        return left < right ? -1 : 1;
    return strcmp(a->id, b->id);
}

struct spark_app_page *spark_app_page_read(const char *bytes, size_t length)
{
    char *text = mem_bytes(bytes ? bytes : "", bytes ? length : 0);
    struct spark_app_page *page = NULL;
    const char *row = text;

    if (strstr(text, "<title>Application: ")) {
        page = mem_alloc(1, sizeof *page);
        page->ui = read_ui(text);
        while ((row = strstr(row, "<tr"))) {
            const char *end = strstr(row, "</tr>");
            if (!end)
                break;
            read_row(page, row, end);
            row = end;
        }
        if (page->count)
            qsort(page->executors, page->count, sizeof *page->executors, order_executors);
    }
    free(text);
    return page;
}

void spark_app_page_free(struct spark_app_page *page)
{
    if (!page)
        return;
    for (size_t i = 0; i < page->count; i++) {
        free(page->executors[i].id);
        free(page->executors[i].worker_id);
        free(page->executors[i].state);
    }
    free(page->executors);
    free(page->ui);
    free(page);
}
