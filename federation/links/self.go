package links

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

const (
	sealRoot = "site-root-key"
	sealOrg  = "organization-key"
)

// EnsureSelf returns this site's identity and root key, and makes them at the
// first start. Whoever holds the root key is the site, for every peer.
func EnsureSelf(ctx context.Context, store federation.Store, keys *secret.Keys, name string, now time.Time) (federation.Self, *ecdsa.PrivateKey, error) {
	self, err := readSelf(ctx, store)
	if problem.Has(err, problem.NotFound) {
		var sealed []byte
		if sealed, err = newKey(keys, sealRoot); err != nil {
			return self, nil, err
		}
		made := federation.Self{
			ID: tenants.SiteID(tenants.NewID()), Name: name, Root: sealed, CreatedAt: now, BundleSeq: uint64(now.Unix()),
		}
		err = store.InTx(ctx, func(tx federation.Tx) error {
			if err := tx.CreateSelf(made); err != nil {
				return err
			}
			return tx.Record(journal.Entry{
				At: now, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.KeyCreated,
				Subject: journal.Subject{Kind: journal.KindSite, ID: string(made.ID), Name: name},
			})
		})
		if err == nil || problem.Has(err, problem.DuplicateName) || problem.Has(err, problem.Conflict) {
			self, err = readSelf(ctx, store) // another cell may have been first
		}
	}
	if err != nil {
		return self, nil, err
	}
	root, err := openKey(keys, sealRoot, self.Root)
	return self, root, err
}

func readSelf(ctx context.Context, store federation.Store) (self federation.Self, err error) {
	err = store.View(ctx, func(r federation.Reader) error {
		self, err = r.Self()
		return err
	})
	return self, err
}

// EnsureOrgKey returns an organization's key, and makes it when it is first
// needed.
func EnsureOrgKey(ctx context.Context, store federation.Store, keys *secret.Keys, org tenants.OrgID, now time.Time) (*ecdsa.PrivateKey, error) {
	sealed, err := readOrgKey(ctx, store, org)
	if problem.Has(err, problem.NotFound) {
		var made []byte
		if made, err = newKey(keys, sealOrg); err != nil {
			return nil, err
		}
		err = store.InTx(ctx, func(tx federation.Tx) error {
			if err := tx.CreateOrgKey(org, made); err != nil {
				return err
			}
			return tx.Record(journal.Entry{
				At: now, Org: string(org), Actor: journal.System, Action: journal.KeyCreated,
				Subject: journal.Subject{Kind: journal.KindKey, ID: string(org), Name: "organization"},
			})
		})
		if err == nil || problem.Has(err, problem.Conflict) {
			sealed, err = readOrgKey(ctx, store, org)
		}
	}
	if err != nil {
		return nil, err
	}
	return openKey(keys, sealOrg, sealed)
}

func readOrgKey(ctx context.Context, store federation.Store, org tenants.OrgID) (sealed []byte, err error) {
	err = store.View(ctx, func(r federation.Reader) error {
		sealed, err = r.OrgKey(org)
		return err
	})
	return sealed, err
}

// NewRoot makes a root key, sealed as it is stored.
func NewRoot(keys *secret.Keys) (sealed []byte, key *ecdsa.PrivateKey, err error) {
	if sealed, err = newKey(keys, sealRoot); err != nil {
		return nil, nil, err
	}
	key, err = OpenRoot(keys, sealed)
	return sealed, key, err
}

// OpenRoot reads a sealed root key.
func OpenRoot(keys *secret.Keys, sealed []byte) (*ecdsa.PrivateKey, error) {
	return openKey(keys, sealRoot, sealed)
}

func newKey(keys *secret.Keys, purpose string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return keys.Seal(purpose, der), nil
}

func openKey(keys *secret.Keys, purpose string, sealed []byte) (*ecdsa.PrivateKey, error) {
	der, err := keys.Open(purpose, sealed)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the stored key is not an EC key")
	}
	return ec, nil
}

// EncodePublicKey writes a key as associations carry it.
func EncodePublicKey(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// DecodePublicKey reads a P-256 key from an association.
func DecodePublicKey(text string) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 1 {
		return nil, problem.New(problem.BadRequest, "The public key must be one PEM block of type PUBLIC KEY.")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	ec, ok := key.(*ecdsa.PublicKey)
	if err != nil || !ok || ec.Curve != elliptic.P256() {
		return nil, problem.New(problem.BadRequest, "The public key must be an EC key on P-256.")
	}
	return ec, nil
}
