package links

import "causeway/internal/secret"

// OrgPublicKey is the public half of an organization's stored key, as association
// data carries it.
func OrgPublicKey(keys *secret.Keys, sealed []byte) (string, error) {
	key, err := openKey(keys, sealOrg, sealed)
	if err != nil {
		return "", err
	}
	return EncodePublicKey(&key.PublicKey)
}
