package status

import (
	"context"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// readShards reads the checkpoints of as many shards as are wanted.
func readShards(ctx context.Context, s *store.Store, p store.Policy, indexes []int64, n int64) ([]Shard, error) {
	list := make([]Shard, min(int64(len(indexes)), n))
	err := store.Each(ctx, len(list), func(ctx context.Context, i int) (err error) {
		list[i], err = readShard(ctx, s, p, indexes[i])
		return err
	})
	return list, err
}

// readShard gives the state of a shard: of the work that was done last, if its
// definition has changed.
func readShard(ctx context.Context, s *store.Store, p store.Policy, index int64) (Shard, error) {
	all, err := marker.ReadProgress(ctx, s, p, index, nil)
	if err != nil && store.Classify(err) != contract.Absent { // deleted meanwhile
		return Shard{}, fail(err, "read the progress", s.Show(marker.Key("progress", index)))
	}
	now, _ := marker.Latest(all)
	skipped, helped := now.Skipped.Len(), identity.List{}
	for _, p := range all {
		if p.By != nil && p.Broken == nil && p.SameShard(now) {
			helped = identity.Union(helped, p.Done)
		}
	}
	return Shard{Index: index, Items: now.End - now.Start, Done: now.Done.Len() - skipped, Skipped: skipped, Failed: now.Failed.Len(), Helped: helped.Len(), Updated: now.Updated}, nil
}
