#include "jobs/labels.h"

void labels_start(struct labels *labels, const struct spec *spec)
{
    labels->other = (uint32_t)(spec->series_count - 1);
    labels->table = table_new(spec->label_count);
    for (size_t i = 0; i < 256; i++)
        labels->of_byte[i] = labels->other;
    for (size_t i = 0; i < spec->label_count; i++) {
        const struct spec_label *label = &spec->labels[i];
        table_add(labels->table, label->value, label->length, (uint32_t)label->series);
        if (label->length == 1)
            labels->of_byte[(unsigned char)label->value[0]] = (uint32_t)label->series;
    }
}

void labels_end(struct labels *labels)
{
    table_free(labels->table);
}
