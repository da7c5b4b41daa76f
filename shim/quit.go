package shim

import (
	"context"
	"net/http"
	"time"

	"nth/shim/failure"
)

// quitDeadline bounds the call that tells a sidecar to end.
const quitDeadline = 5 * time.Second

// quit tells a mesh sidecar, which would keep the pod alive, that the run is over
// (Istio: http://127.0.0.1:15020/quitquitquit). Best effort.
func (r *run) quit() {
	if r.item == nil || r.item.quitURL.value == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), quitDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.item.quitURL.value, nil)
	if err == nil {
		var res *http.Response
		if res, err = http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	}
	if err != nil {
		r.log.Warn().Msg("tell --quit-url: " + r.mask(failure.OneLine(err.Error())))
	}
}
