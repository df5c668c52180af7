package tenants

import (
	"context"
	"unicode/utf8"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

const (
	// MinPassword is the shortest password of a person, in characters: NIST SP
	// 800-63B's least, and what clients of VCD take for granted.
	MinPassword = 8
	// MaxPassword bounds what is hashed, in bytes.
	MaxPassword = 1024
)

// CheckPassword refuses a password that anybody would try first for the user
// with this name, which is folded.
func CheckPassword(name string, password secret.Text) error {
	switch clear := password.Reveal(); {
	case utf8.RuneCountInString(clear) < MinPassword:
		return problem.New(problem.BadRequest, "A password has at least %d characters.", MinPassword).In("password")
	case len(clear) > MaxPassword:
		return problem.New(problem.BadRequest, "A password has at most %d bytes.", MaxPassword).In("password")
	case FoldName(clear) == name:
		return problem.New(problem.BadRequest, "A password is not the user's name.").In("password")
	}
	return nil
}

// hashOf is the hash of a password that a user named name may have. It takes long
// and is called outside transactions.
func hashOf(ctx context.Context, hasher *secret.PasswordHasher, name string, password secret.Text) (string, error) {
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	return hasher.Hash(ctx, password)
}

// notHashed stands for the hash of a password that is not hashed yet. It is kept
// nowhere.
const notHashed = "-"

// withHash is u with a new password, or with the one it has where hash is empty.
func (u User) withHash(hash string) (User, error) {
	if hash != "" {
		u.PasswordHash = hash
	}
	switch {
	case u.Imported() && hash != "":
		return User{}, problem.New(problem.BadRequest, "An imported user has no password here.")
	case u.Imported():
		u.PasswordHash = ""
	case u.PasswordHash == "":
		return User{}, problem.New(problem.BadRequest, "The user needs a password.")
	}
	return u, nil
}

// ChangePassword gives the caller another password. It takes the current one: a
// session that somebody left open is not enough to keep its owner out. The other
// sessions of the caller end.
func (s *Service) ChangePassword(ctx context.Context, by Caller, current, password secret.Text) error {
	p := by.Principal
	if p.Kind.Machine() {
		return problem.New(problem.Forbidden, "A service account has no password.")
	}
	if p.Session == "" {
		return problem.New(problem.Forbidden, "Change the password at the site where the session began.")
	}
	org, err := s.orgs.Organization(ctx, p.Org)
	if err != nil {
		return err
	}
	u, err := s.User(ctx, p.Org, UserID(p.ID))
	if err != nil {
		return err
	}
	if err := CheckPassword(u.Name, password); err != nil {
		return err
	}
	// Who has a session has logged in.
	checked, err := s.logins.Check(ctx, org, u.Name, current, Origin{Source: by.Source, Known: true})
	if problem.Has(err, problem.Unauthenticated) { // which would say that the session is over
		return problem.New(problem.BadRequest, "The current password is not right.")
	}
	if err != nil {
		return err
	}
	hash, err := hashOf(ctx, s.hasher, u.Name, password)
	if err != nil {
		return err
	}
	return s.replacePassword(ctx, by, checked, hash)
}

// replacePassword puts hash in the place of the one that was checked.
func (s *Service) replacePassword(ctx context.Context, by Caller, checked User, hash string) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		u, err := holdUser(tx, checked.Org, checked.ID, now)
		if err != nil {
			return err
		}
		if u.PasswordHash != checked.PasswordHash {
			return problem.New(problem.Conflict, "The password was changed by somebody else.")
		}
		u.PasswordHash = hash
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		if err := tx.EndUserSessions(u.Org, u.ID, by.Principal.Session, now); err != nil {
			return err
		}
		return record(tx, by, now, u.Org, journal.UserPasswordChanged, u.subject(), nil)
	})
}
