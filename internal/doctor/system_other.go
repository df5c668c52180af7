//go:build !unix

package doctor

import (
	"errors"
	"io/fs"
)

const onUnix = false

func owner(fs.FileInfo) (uid uint32, ok bool) { return 0, false }

func freeSpace(string) (free, total uint64, err error) { return 0, 0, errors.ErrUnsupported }
