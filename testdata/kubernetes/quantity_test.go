package kubernetes

import (
	"math/big"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

// TestQuantities: what a repair's pods get is, by Kubernetes' own reading, so many times as
// much as there was and never less, and written as Kubernetes writes it.
func TestQuantities(t *testing.T) {
	exact := func(q resource.Quantity) *big.Rat {
		r, ok := new(big.Rat).SetString(q.AsDec().String())
		if !ok {
			t.Fatal(q)
		}
		return r
	}
	for _, was := range []string{"1", "500m", "0.1", "1.5Gi", "2Gi", "1000Mi", "1536Mi", "1023Ki", "1025Ki", "500M", "1.1G", "1e9", "12E6", "1E3", "1k", "128974848", "0.5Ki", ".5", "3.", "1Ei", "100u"} {
		for times, n := range map[string]*big.Rat{"2x": big.NewRat(2, 1), "1.5x": big.NewRat(3, 2), "1.37x": big.NewRat(137, 100)} {
			for _, name := range []string{"memory", "cpu"} {
				job := decode(t, manifest(t, "--name", "q", "--completions", "1", "--image", "b", "--requests", name+"="+was, "--"+name, times, "--", "true"))
				got := job.Spec.Template.Spec.Containers[0].Resources.Requests["memory"]
				unit := big.NewRat(1<<20, 1)
				if name == "cpu" {
					got, unit = job.Spec.Template.Spec.Containers[0].Resources.Requests["cpu"], big.NewRat(1, 1000)
				}
				want := new(big.Rat).Mul(exact(resource.MustParse(was)), n)
				if off := new(big.Rat).Sub(exact(got), want); off.Sign() < 0 || off.Cmp(unit) >= 0 {
					t.Errorf("%s of %s %s is %s, which is %s off", times, was, name, got.String(), off)
				}
			}
		}
	}
}
