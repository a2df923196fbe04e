#!/bin/sh
# Makes build/assets.c: the files named, built into the program.
#
# usage: assets.sh NAME=FILE... > assets.c
#
# .incbin keeps them out of the compiler, which takes seconds for an array of
# the sample's size; gcc and clang both take it.
set -eu

echo '#include "cluster/base/assets.h"'
number=0
table=
for pair in "$@"; do
	name=${pair%%=*} file=${pair#*=}
	number=$((number + 1))
	cat <<-END
		__asm__(".section .rodata\n.balign 16\nasset_$number: .incbin \"$file\"\n.byte 0\n.text\n");
		extern const char data_${number}[] __asm__("asset_$number");
	END
	table="$table    {\"$name\", data_$number, $(wc -c <"$file")},
"
done
printf 'const struct asset assets[] = {\n%s    {0, 0, 0},\n};\n' "$table"
