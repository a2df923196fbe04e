/* csv_block.h: where commas, line ends, quotes and NULs stand in 64 bytes, a
 * bit a byte. For csv.c only. */
#ifndef TALLY_CSV_BLOCK_H
#define TALLY_CSV_BLOCK_H

#include <endian.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CSV_BLOCK 64

struct csv_bits {
    uint64_t commas, newlines, specials; /* specials: quotes and NULs */
};

/* A bit for each of the eight bytes that is c. No sum in it carries into the
 * next byte, so it is exact (Hacker's Delight, 6-1); the product brings the
 * eight bits together. */
static inline uint64_t csv_equal_of_word(uint64_t word, char c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = 0x7f * ones;
    uint64_t other = word ^ ones * (unsigned char)c;
    uint64_t zero = ~(((other & low) + low) | other | low);

    return (zero >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* On any machine, eight bytes at a time: a third of the instructions of one. */
static inline struct csv_bits csv_bits_of_words(const char *from)
{
    struct csv_bits bits = {0, 0, 0};

    for (int i = 0; i < CSV_BLOCK; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, sizeof word);
        word = le64toh(word);
        bits.commas |= csv_equal_of_word(word, ',') << i;
        bits.newlines |= csv_equal_of_word(word, '\n') << i;
        bits.specials |= (csv_equal_of_word(word, '"') | csv_equal_of_word(word, '\0')) << i;
    }
    return bits;
}

#ifdef __SSE2__
struct csv_bytes {
    __m128i a, b, c, d;
};

static inline __m128i csv_load(const char *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline struct csv_bytes csv_equal(struct csv_bytes bytes, char c)
{
    const __m128i wanted = _mm_set1_epi8(c);

    return (struct csv_bytes){_mm_cmpeq_epi8(bytes.a, wanted), _mm_cmpeq_epi8(bytes.b, wanted),
                              _mm_cmpeq_epi8(bytes.c, wanted), _mm_cmpeq_epi8(bytes.d, wanted)};
}

static inline uint64_t csv_pair(__m128i low, __m128i high)
{
    return (unsigned)_mm_movemask_epi8(low) | (unsigned)_mm_movemask_epi8(high) << 16;
}

static inline uint64_t csv_mask(struct csv_bytes bytes)
{
    return csv_pair(bytes.a, bytes.b) | csv_pair(bytes.c, bytes.d) << 32;
}

/* amd64 always has SSE2. */
static inline struct csv_bits csv_bits(const char *from)
{
    const struct csv_bytes bytes = {csv_load(from), csv_load(from + 16), csv_load(from + 32),
                                    csv_load(from + 48)};
    struct csv_bytes quotes = csv_equal(bytes, '"'), nuls = csv_equal(bytes, '\0');
    struct csv_bytes specials = {_mm_or_si128(quotes.a, nuls.a), _mm_or_si128(quotes.b, nuls.b),
                                 _mm_or_si128(quotes.c, nuls.c), _mm_or_si128(quotes.d, nuls.d)};

    return (struct csv_bits){csv_mask(csv_equal(bytes, ',')), csv_mask(csv_equal(bytes, '\n')),
                             csv_mask(specials)};
}
#else
static inline struct csv_bits csv_bits(const char *from)
{
    return csv_bits_of_words(from);
}
#endif

#endif
