package manifest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// feature is what a manifest needs of Kubernetes, with the minor versions of Kubernetes 1
// from which on it is there by itself (beta) and for good (stable; 0: not yet).
type feature struct{ beta, stable int }

// The versions stand in kubernetes pkg/features/kube_features.go: in that of 1.37, or of
// the version at which a feature came to stay.
var (
	indexedJob      = feature{22, 24} // KEP-2214
	failurePolicy   = feature{26, 31} // KEP-3329: JobPodFailurePolicy, and the condition DisruptionTarget
	prefixedLabels  = feature{27, 27} // batch.kubernetes.io/job-name and controller-uid; before: without the prefix
	backoffPerIndex = feature{29, 33} // KEP-3850: JobBackoffLimitPerIndex, with maxFailedIndexes and FailIndex
	nativeSidecar   = feature{29, 33} // KEP-753: SidecarContainers
	successRules    = feature{31, 33} // KEP-3998: JobSuccessPolicy
	restartRules    = feature{35, 0}  // KEP-5307: ContainerRestartRules; in 1.34 where its gate is opened
	imageVolume     = feature{35, 36} // KEP-4639: ImageVolume; from 1.31 on where its gate is opened
)

// The first versions that have something at all, where its gate is opened.
const (
	imageVolumeGate  = 31
	restartRulesGate = 34
)

// note says from which version on a field is there.
func (f feature) note() string {
	if f.stable == 0 {
		return fmt.Sprintf("Kubernetes 1.%d beta", f.beta)
	}
	if f.beta == f.stable {
		return fmt.Sprintf("Kubernetes 1.%d", f.stable)
	}
	return fmt.Sprintf("Kubernetes 1.%d (1.%d beta)", f.stable, f.beta)
}

// version is the minor version of the Kubernetes that the manifest is for; 0: the newest.
type version int

// parseVersion reads "1.29", "v1.29.3" or "".
func parseVersion(s string) (version, error) {
	if s == "" {
		return 0, nil
	}
	parts := strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3)
	if len(parts) > 1 && parts[0] == "1" {
		if n, err := strconv.ParseUint(parts[1], 10, 16); err == nil && n > 0 {
			return version(n), nil
		}
	}
	return 0, errors.New("it is no version of Kubernetes such as 1.29")
}

func (v version) has(f feature) bool { return v == 0 || int(v) >= f.beta }

func (v version) String() string { return fmt.Sprintf("Kubernetes 1.%d", int(v)) }
