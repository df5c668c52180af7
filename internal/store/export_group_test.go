package store

import (
	"context"

	"causeway/oauth"
)

// Verdict is what a batch says of one rotation. Alone: nothing.
type Verdict struct {
	Rotated, Alone bool
	Err            error
}

// Batch rotates rs as one batch, without asking alone for those that need it.
func (d *DB) Batch(ctx context.Context, rs ...oauth.Rotation) ([]Verdict, error) {
	conn, err := d.write.sql.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	jobs := make([]rotationJob, len(rs))
	for i, r := range rs {
		jobs[i] = rotationJob{ctx: ctx, what: r}
	}
	var verdicts []Verdict
	for _, a := range d.rotations.do(conn, jobs) {
		verdicts = append(verdicts, Verdict{a.value.did, a.alone, a.err})
	}
	return verdicts, nil
}

// HoldLanes takes all places of those who ask for tokens alone, as a flood would.
func (d *DB) HoldLanes() {
	for range cap(d.tokens.few) {
		d.tokens.few <- struct{}{}
	}
}
