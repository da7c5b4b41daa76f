package status

import "unicode"

// wide is how many columns a character takes: East Asian ones and pictures take two.
func wide(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// cut gives as much of a line as fits into so many columns.
func cut(s string, width int) string {
	cols, fits := 0, 0 // fits is where … would go
	for at, r := range s {
		if cols <= width-1 {
			fits = at
		}
		if cols += wide(r); cols > width {
			if width < 1 {
				return ""
			}
			return s[:fits] + "…"
		}
	}
	return s
}
