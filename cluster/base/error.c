#include "cluster/base/error.h"

#include <stdio.h>
#include <string.h>

#include "cluster/base/utf8.h"

int error_set(struct error *error, enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    utf8_keep_line(error->text);
    error->code = code;
    return -1;
}

int error_wrap(struct error *error, const char *format, ...)
{
    char context[sizeof error->text], text[sizeof error->text];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    utf8_keep_line(context);
    memcpy(text, error->text, sizeof text);
    if (snprintf(error->text, sizeof error->text, "%s: %s", context, text) < 0)
        error->text[0] = '\0';
    return -1;
}

int error_add(struct error *error, const char *format, ...)
{
    size_t length = strlen(error->text);
    va_list arguments;

    snprintf(error->text + length, sizeof error->text - length, ": ");
    length = strlen(error->text);
    va_start(arguments, format);
    vsnprintf(error->text + length, sizeof error->text - length, format, arguments);
    va_end(arguments);
    utf8_keep_line(error->text);
    return -1;
}
