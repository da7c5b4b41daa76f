package store

import "strings"

// Hidden is the directory, beside what they are to become, in which outputs wait to be
// published. Nobody else's blob is in one.
const Hidden = ".nth"

// IsHidden tells whether a blob is in such a directory.
func IsHidden(key string) bool {
	return strings.HasPrefix(key, Hidden+"/") || strings.Contains(key, "/"+Hidden+"/")
}
