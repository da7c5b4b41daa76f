package templates

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecrets(t *testing.T) {
	for _, tt := range []struct {
		name, word   string
		text, stable string
		secrets      []string
	}{
		{"as it is", `key=<<secret "TOKEN">>`, "key=s3cr3t", "key=<<secret TOKEN>>", []string{"s3cr3t"}},
		{"twice", `<<secret "TOKEN">>:<<secret "TOKEN">>`, "s3cr3t:s3cr3t", "<<secret TOKEN>>:<<secret TOKEN>>", []string{"s3cr3t"}},
		{"two", `<<secret "TOKEN">>:<<secret "REGION">>`, "s3cr3t:eu", "<<secret TOKEN>>:<<secret REGION>>", []string{"s3cr3t", "eu"}},
		{"empty", `a<<secret "EMPTY">>`, "a", "a<<secret EMPTY>>", nil},
		{"in a condition", `<<if secret "TOKEN">>--auth<<end>>`, "--auth", "--auth", []string{"s3cr3t"}},
		{"volatile", `<<volatile (secret "TOKEN")>>`, "s3cr3t", "VOLATILE", []string{"s3cr3t"}},
		{"changed", `k=<<upper (secret "TOKEN")>>`, "k=S3CR3T", "k=<<SECRET TOKEN>>", []string{"k=S3CR3T", "S3CR3T", "s3cr3t"}},
		{"as it is and changed", `<<secret "TOKEN">>:<<upper (secret "TOKEN")>>`, "s3cr3t:S3CR3T", "<<secret TOKEN>>:<<SECRET TOKEN>>",
			[]string{"s3cr3t:S3CR3T", "S3CR3T", "s3cr3t"}},
		{"cut", `<<printf "%.3s" (secret "TOKEN")>>`, "s3c", "<<s", []string{"s3cr3t", "s3c"}},
		{"compared", `<<if eq (secret "TOKEN") "s3cr3t">>--yes<<end>>`, "--yes", "", []string{"s3cr3t", "--yes"}},
		{"compared, and nothing shown", `<<if ne (secret "TOKEN") "s3cr3t">>--no<<end>>`, "", "--no", []string{"s3cr3t"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := expand(tt.word, testFields())
			if err != nil {
				t.Fatal(err)
			}
			want := Expansion{Text: tt.text, Stable: tt.stable, Secrets: tt.secrets}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestErrorsHoldNoSecret: the name explains it, or nothing does.
func TestErrorsHoldNoSecret(t *testing.T) {
	for word, says := range map[string]string{
		`<<add (secret "TOKEN") 1>>`:                  `"<<secret TOKEN>>" is not a whole number`,
		`<<printf "%d" (secret "TOKEN")>>`:            "%!d(string=<<secret TOKEN>>)",
		`<<required (secret "TOKEN") "">>`:            "<<secret TOKEN>>",
		`<<file (secret "TOKEN")>>`:                   "open <<secret TOKEN>>: file does not exist",
		`<<env (secret "TOKEN")>>`:                    "the variable <<secret TOKEN>> is not set",
		`<<secret (secret "TOKEN")>>`:                 "variable <<secret TOKEN>> is not set",
		`<<secret "TOKEN">><<div 1 0>>`:               "division by zero",
		`<<div 1 (sub 6 (len (secret "TOKEN")))>>`:    "not shown",
		`<<add (upper (secret "TOKEN")) 1>>`:          "not shown",
		`<<index (split "," (secret "TOKEN")) 5>>`:    "out of range",
		`<<required (upper (secret "TOKEN")) "">>`:    "not shown",
		`<<index "x" (secret "TOKEN")>>`:              "index",
		`<<secret "TOKEN" | printf "%s %d" "x" | a>>`: "not defined",
	} {
		_, err := expand(word, testFields())
		if err == nil {
			t.Errorf("%s: no error", word)
			continue
		}
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %q should say %q", word, err, says)
		}
		if strings.Contains(strings.ToLower(err.Error()), "s3cr3t") {
			t.Errorf("%s tells the secret: %q", word, err)
		}
	}
}
