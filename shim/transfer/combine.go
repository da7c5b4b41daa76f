package transfer

import "hash/crc32"

// combine gives the checksum of two texts one after the other, of which the second has so
// many bytes: the first's is multiplied by x^8 for each of them, modulo the polynomial
// (as zlib's crc32_combine does it).
func combine(first, second uint32, bytes int64) uint32 {
	power := uint32(1) << 31  // x^0: the highest bit is the lowest power
	square := uint32(1) << 23 // x^8
	for n := bytes; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return multiply(power, first) ^ second
}

// multiply gives the product of two polynomials, modulo Castagnoli's.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a>>31 == 1 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry == 1 {
			b ^= crc32.Castagnoli
		}
	}
	return product
}
