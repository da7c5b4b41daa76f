package claim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"nth/shim/marker"
	"nth/shim/store/contract"
)

// Void takes a claim away from its holder and releases it, in the place of the version that
// was read: for who knows that the holder is dead, and doesn't wait out its TTL. The kind
// Exists: it was renewed, or is another's by now. It is a takeover like any other, with a
// term of its own: a holder that lives after all finds at its next renewal that it has lost
// the claim, and stops.
func Void(ctx context.Context, s Store, there Document, token contract.Token, by Document) error {
	by.Version, by.Job, by.Index, by.TTL = Version, there.Job, there.Index, there.TTL
	by.Term, by.Beat, by.Released, by.Written = there.Term+1, 1, true, time.Now().UTC()
	body, err := json.MarshalIndent(by, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the claim: %w", err)
	}
	_, err = s.Swap(ctx, marker.Key("claim", there.Index), append(body, '\n'), token)
	return err
}
