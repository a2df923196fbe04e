#include "dashboard/body.h"

#include <stdlib.h>

void body_start(struct buf *text)
{
    static const char room[BODY_ROOM];

    buf_add(text, room, sizeof room);
}

struct body *body_finish(struct buf *text, size_t *account)
{
    struct body *body = mem_alloc(1, sizeof *body);

    body->memory = mem_grow(text->data, text->length + 1, 1); /* gives back what was spare */
    body->data = body->memory + BODY_ROOM;
    body->length = text->length - BODY_ROOM;
    body->references = 1;
    body->account = account;
    if (account)
        *account += body->length;
    *text = (struct buf){0};
    return body;
}

struct body *body_of(const char *data, size_t length)
{
    struct body *body = mem_alloc(1, sizeof *body);

    body->data = data;
    body->length = length;
    body->references = 1;
    return body;
}

struct body *body_hold(struct body *body)
{
    body->references++;
    return body;
}

void body_release(struct body *body)
{
    if (!body || --body->references > 0)
        return;
    if (body->account)
        *body->account -= body->length;
    free(body->memory);
    free(body);
}
