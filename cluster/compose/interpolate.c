#include "cluster/compose/interpolate.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

/* One text on its way; `out` holds what is done. */
struct run {
    struct arena *arena;
    struct budget *budget;
    const struct variables *variables;
    struct buf out;
    bool interpolated;
    char *unset;
    const char *missing;
};

const char *variables_get(const struct variables *variables, const char *name, size_t length)
{
    const char *value = NULL;
    size_t at;

    if (variables->over)
        value = variables_get(variables->over, name, length);
    if (!value && variables->outer)
        value = variables_get(variables->outer, name, length);
    at = value ? NAMES_NONE : names_find(&variables->index, name, length);
    return at == NAMES_NONE ? value : variables->list[at].value;
}

void variables_of_shell(struct arena *arena, struct variables *variables)
{
    for (char **pair = environ; pair && *pair; pair++) {
        const char *equals = strchr(*pair, '=');
        if (equals)
            variables_set(arena, variables, arena_bytes(arena, *pair, (size_t)(equals - *pair)),
                          arena_text(arena, equals + 1));
    }
}

void variables_set(struct arena *arena, struct variables *variables, const char *name,
                   const char *value)
{
    size_t length = strlen(name), at = names_find(&variables->index, name, length);

    if (at == NAMES_NONE) {
        names_set(arena, &variables->index, name, length, variables->count);
        arena_add(arena, &variables->list, &variables->count, sizeof *variables->list);
        at = variables->count - 1;
    }
    variables->list[at] = (struct variable){name, value};
}

/* The length of the name at the start of `text`; compose-go's pattern is
 * [_a-z][_a-z0-9]*, upper case too (template.go). */
static size_t name_length(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length && (text[at] == '_' || isalpha((unsigned char)text[at]) ||
                           (at > 0 && isdigit((unsigned char)text[at]))))
        at++;
    return at;
}

static void put(struct run *run, const char *text, size_t length)
{
    if (run->out.length + length <= LIMIT_COMPOSE_VALUE &&
        budget_spend(run->budget, length / 32 + 1))
        buf_add(&run->out, text, length);
}

static void expand(struct run *run, const char *text, size_t length, int depth);

static void note_unset(struct run *run, const char *name, size_t length)
{
    if (!run->unset)
        run->unset = arena_bytes(run->arena, name, length);
}

static void put_variable(struct run *run, const char *name, size_t length)
{
    const char *value = variables_get(run->variables, name, length);

    if (value)
        put(run, value, strlen(value));
    else
        note_unset(run, name, length);
}

/* NAME, then an operator and its word. False: there is no such operator. */
static bool put_braced(struct run *run, const char *inside, size_t length, int depth)
{
    size_t name = name_length(inside, length), at = name;
    const char *value, *word;
    bool colon;

    if (name == 0)
        return false;
    if (name == length) {
        put_variable(run, inside, name);
        return true;
    }
    colon = inside[at] == ':';
    at += colon;
    if (at == length || !strchr("-?+", inside[at]))
        return false;
    word = inside + at + 1;
    value = variables_get(run->variables, inside, name);
    if (value && colon && !*value)
        value = NULL;
    if (inside[at] == '+' ? value != NULL : value == NULL && inside[at] == '-') {
        expand(run, word, length - at - 1, depth + 1);
    } else if (inside[at] != '+' && value) {
        put(run, value, strlen(value));
    } else if (inside[at] == '?') {
        note_unset(run, inside, name);
        if (!run->missing)
            run->missing = arena_bytes(run->arena, word, length - at - 1);
    }
    return true;
}

/* Where the brace that is open at the start is closed, any `{` opening another; where
 * they do not match, the last one (compose-go's template.go does so). `length`: nowhere. */
static size_t closing_brace(struct run *run, const char *text, size_t length)
{
    size_t open = 1, at;
    const char *last;

    for (at = 0; at < length; at++) {
        if (text[at] == '}' && --open == 0)
            break;
        open += text[at] == '{';
    }
    if (!budget_spend(run->budget, at / 32))
        return length;
    last = at == length ? memrchr(text, '}', length) : text + at;
    return last ? (size_t)(last - text) : length;
}

/* What a `$` at the start of `text` begins. Its length; 0: nothing. */
static size_t expand_one(struct run *run, const char *text, size_t length, int depth)
{
    size_t end;

    if (length < 2)
        return 0;
    if (text[1] == '$') {
        put(run, "$", 1);
        return 2;
    }
    if (text[1] != '{') {
        end = name_length(text + 1, length - 1);
        if (end)
            put_variable(run, text + 1, end);
        run->interpolated = run->interpolated || end;
        return end ? end + 1 : 0;
    }
    if (depth > LIMIT_COMPOSE_DEFAULTS || run->budget->left == 0)
        return 0;
    end = closing_brace(run, text + 2, length - 2);
    if (end == length - 2 || !put_braced(run, text + 2, end, depth))
        return 0;
    run->interpolated = true;
    return end + 3;
}

static void expand(struct run *run, const char *text, size_t length, int depth)
{
    size_t at = 0;

    while (at < length) {
        const char *dollar = memchr(text + at, '$', length - at);
        size_t plain = dollar ? (size_t)(dollar - text) - at : length - at, used;
        put(run, text + at, plain);
        at += plain;
        if (!dollar)
            break;
        used = expand_one(run, text + at, length - at, depth);
        if (!used)
            put(run, "$", 1);
        at += used ? used : 1;
    }
}

void interpolate(struct arena *arena, struct budget *budget, const struct variables *variables,
                 const char *text, size_t length, struct compose_text *result, const char **missing)
{
    struct run run = {.arena = arena, .budget = budget, .variables = variables};

    if (!memchr(text, '$', length)) {
        result->text = arena_bytes(arena, text, length);
        return;
    }
    buf_reserve(&run.out, length);
    expand(&run, text, length, 0);
    result->text = arena_bytes(arena, run.out.data, run.out.length);
    result->interpolated = run.interpolated;
    result->unset = run.unset;
    if (run.missing)
        *missing = run.missing;
    buf_free(&run.out);
}
