package jose

import (
	"encoding/json"
	"strings"
	"sync"
)

// headers are those of tokens that were verified, by how they are written: all tokens
// of a key have the same, and to read it costs half as much as a signature. Nobody
// without a key adds to them.
var headers struct {
	sync.RWMutex
	read map[string]map[string]string
}

// maxHeaders is more than there are keys at once.
const maxHeaders = 256

func remember(head string, header map[string]string) {
	headers.RLock()
	_, known := headers.read[head]
	headers.RUnlock()
	if known {
		return
	}
	headers.Lock()
	defer headers.Unlock()
	if headers.read == nil || len(headers.read) == maxHeaders {
		headers.read = make(map[string]map[string]string)
	}
	headers.read[strings.Clone(head)] = header
}

// readHeader is what head says. Nobody changes it.
func readHeader(head string) (map[string]string, error) {
	headers.RLock()
	header, known := headers.read[head]
	headers.RUnlock()
	if known {
		return header, nil
	}
	return parseHeader(head)
}

func parseHeader(head string) (header map[string]string, err error) {
	data, err := decode(head)
	if err != nil {
		return nil, err
	}
	if err := checkObject(data); err != nil {
		return nil, err
	}
	return header, json.Unmarshal(data, &header)
}
