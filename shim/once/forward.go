package once

import (
	"context"
	"fmt"

	"nth/shim/commit"
	"nth/shim/record"
)

// forward settles an item whose outputs a run has committed that didn't come to record them.
func (p *results) forward(ctx context.Context, found record.Verdict) (record.Verdict, error) {
	if p == nil || found.Settled {
		return found, nil
	}
	if err := p.Step(ctx, "forward"); err != nil {
		return found, err
	}
	c, vacancy, err := p.commit.Look(ctx)
	p.vacancy = vacancy
	if err != nil || c == nil {
		return found, p.unlessStopped(ctx, err)
	}
	p.Log.Info().Msgf("%s was done by run %s, which ended before that was recorded: its outputs are published", p.it.Header.What(), c.RunID())
	settled, vacancy, err := c.RollForward(ctx, found.Over())
	if err != nil {
		return found, p.unlessStopped(ctx, err)
	}
	if settled == nil {
		p.vacancy = vacancy
		p.Log.Info().Msg("what it had staged is gone, and so is the marker: the item was reset")
		return found, nil
	}
	p.settled(settled)
	return record.Verdict{Settled: true}, nil
}

func (p *results) unlessStopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return p.Stopped("forward")
	}
	return err
}

// settled tells of outputs that are published, and clears up.
func (p *results) settled(s *commit.Settled) {
	m := s.Marker()
	more := fmt.Sprintf(", %d objects published", len(m.Outputs))
	if len(m.Outputs) == 1 {
		more = ", 1 object published"
	}
	if s.Other != nil {
		more = ""
	} else if m.RunID != p.commit.Header.RunID {
		more += ", those of run " + m.RunID + ", which was first"
	}
	p.Record.Settled(m, s.How, s.Other, more)
	if err := s.Clean(context.Background()); err != nil {
		p.Log.Warn().Msg("clear up what was staged: " + p.Said(err) + "; nth reset --stale does it later")
	}
}
