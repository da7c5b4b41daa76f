package plan

import "strconv"

// sized gives a size in decimal units, as disks and networks have them.
func sized(n int64) string {
	f, units := float64(n), []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	for len(units) > 1 && f >= 999.95 {
		f, units = f/1000, units[1:]
	}
	if units[0] == "bytes" {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[0]
}
