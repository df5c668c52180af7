package secret

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"causeway/internal/problem"
)

// PasswordLimits bounds what hashing passwords may cost a cell.
type PasswordLimits struct {
	Concurrent int // hashes computed at once, 19 MiB each
	Waiting    int // callers that may queue; more are refused
}

// PasswordHasher hashes people's passwords with argon2id. That is slow on
// purpose, so it stands behind a gate: a flood of logins may fill the queue,
// never the memory or the processors that serve tokens.
type PasswordHasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	limits  PasswordLimits
	nobody  hash
}

// NewPasswordHasher makes a hasher with its own gate; a cell has one.
func NewPasswordHasher(limits PasswordLimits) (*PasswordHasher, error) {
	if limits.Concurrent < 1 || limits.Waiting < 0 {
		return nil, errors.New("secret: a password hasher needs at least one slot and no negative queue")
	}
	// A random sum instead of a real hash: nothing matches it, and starting a
	// cell does not have to wait for argon2.
	return &PasswordHasher{
		slots:  make(chan struct{}, limits.Concurrent),
		limits: limits,
		nobody: newHash(),
	}, nil
}

// Hash returns the PHC string to store for password.
func (p *PasswordHasher) Hash(ctx context.Context, password Text) (string, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	h := newHash()
	h.sum = h.derive(password)
	return h.encode(), nil
}

// Verify reports whether password is the one that encoded was made from. The
// error is for a full gate, an ended ctx and a stored hash that is not ours.
func (p *PasswordHasher) Verify(ctx context.Context, encoded string, password Text) (bool, error) {
	h, err := parseHash(encoded)
	if err != nil {
		return false, err
	}
	return p.verify(ctx, h, password)
}

// VerifyDummy takes as long as Verify and always finds against the password.
// Call it for a user who does not exist or has no password: the time of a login
// must not tell who does.
func (p *PasswordHasher) VerifyDummy(ctx context.Context, password Text) error {
	_, err := p.verify(ctx, p.nobody, password)
	return err
}

func (p *PasswordHasher) verify(ctx context.Context, h hash, password Text) (bool, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	return Equal(h.derive(password), h.sum), nil
}

// enter takes a slot or waits for one.
func (p *PasswordHasher) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, errGate(err)
	}
	leave = func() { <-p.slots }
	select {
	case p.slots <- struct{}{}:
		return leave, nil
	default:
	}
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > int64(p.limits.Waiting) {
		return nil, errGate(nil)
	}
	select {
	case p.slots <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, errGate(ctx.Err())
	}
}

// errGate asks for a second's patience: a slot is free again well within it.
func errGate(cause error) error {
	return problem.Wrap(cause, problem.Unavailable, "Too many logins at this moment.").After(time.Second)
}

func newHash() hash {
	h := hash{memory: newMemory, passes: newPasses, threads: newThreads,
		salt: make([]byte, newSaltSize), sum: make([]byte, newSumSize)}
	random(h.salt)
	random(h.sum)
	return h
}

// NoPassword is a PHC string that no password matches, for users who are to get
// another one.
func NoPassword() string { return newHash().encode() }
