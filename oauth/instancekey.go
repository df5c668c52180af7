package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
)

// PurposeInstance is for what service instances are told of who calls them. What it
// signs opens nothing at the gateway.
const PurposeInstance Purpose = "instance-assertion"

const instanceTokenType = "instance+jwt"

// SignForInstance signs claims for a service instance (RFC 7515 §7.1). The first makes
// the key.
func (s *Service) SignForInstance(ctx context.Context, claims any) (string, error) {
	key, err := s.firstKey(ctx, PurposeInstance)
	if err != nil {
		return "", err
	}
	head, err := json.Marshal(map[string]string{"alg": key.Algorithm, "kid": key.ID, "typ": instanceTokenType})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(head) + "." + encode(body)
	signature, err := key.method.Sign(text, key.private)
	return text + "." + encode(signature), err
}

// InstanceKeys are the keys that verify what SignForInstance signed, see PublicKeys.
// Where nothing was signed there are none.
func (s *Service) InstanceKeys(ctx context.Context) ([]PublicKey, error) {
	return s.publicKeys(ctx, PurposeInstance)
}

// firstKey is the key that signs for a purpose for which most sites need none. To
// make one may take as long as a start.
func (s *Service) firstKey(ctx context.Context, p Purpose) (readyKey, error) {
	set, err := s.signer.current(ctx)
	if err != nil {
		return readyKey{}, err
	}
	if k, ok := signing(set.list, p, s.now()); ok {
		return set.ready[k.ID], nil
	}
	s.making.Lock() // one makes it, and the others of this cell wait
	defer s.making.Unlock()
	if err := s.keepKeys(ctx, p); err != nil {
		return readyKey{}, err
	}
	return s.signer.signing(ctx, p)
}
