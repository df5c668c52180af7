package doctor

import (
	"context"
	"os"
	"strings"

	"causeway/internal/config"
	"causeway/internal/store"
)

const watermarkCheck = "watermark"

// watermark compares what is configured with what the site's journal says is kept.
func (e *examination) watermark(ctx context.Context, c *config.Config, db *store.DB) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	url := c.Database.Watermark.Reveal()
	named, err := db.NamedWatermark(ctx)
	switch {
	case err != nil:
		e.skip(watermarkCheck, "Whether the site keeps one is not known: %v", err)
	case url == "" && named == "":
		e.skip(watermarkCheck, "None is configured: after a restore, service accounts need to be granted anew.")
	case url == "":
		e.fail(watermarkCheck, foreignMarks, "The site keeps watermark %s, and database.watermark names none.", named)
	default:
		e.marks(ctx, url, named)
	}
}

func (e *examination) marks(ctx context.Context, url, named string) {
	if path, isFile := strings.CutPrefix(url, "sqlite://"); isFile {
		if _, err := os.Stat(path); err != nil && named != "" { // opening would make one
			e.fail(watermarkCheck, lostMarks, "There is none at %s.", path)
			return
		} else if err != nil {
			e.warn(watermarkCheck, notBegun, "One is configured at %s, and none was begun.", path)
			return
		}
	}
	w, err := store.OpenWatermark(ctx, url)
	if err != nil {
		e.fail(watermarkCheck, lostMarks, "It cannot be reached: %v", err)
		return
	}
	defer w.Close()
	switch {
	case named == "":
		e.warn(watermarkCheck, notBegun, "One is configured and not kept.")
	case w.ID() != named:
		e.fail(watermarkCheck, foreignMarks, "The site keeps watermark %s, and the one of database.watermark is %q.", named, w.ID())
	default:
		e.ok(watermarkCheck, "The watermark is reached, and is the site's.")
	}
}

var (
	lostMarks = advice{
		"Without it no cell starts, and those that run renew and revoke no token.",
		"Bring its database back, never from a copy. If it is lost: stop all cells, run causeway watermark end --lost, and begin another.",
	}
	foreignMarks = advice{
		"A cell with this configuration does not start: what it renews would be proved by nothing.",
		"Name the site's watermark in database.watermark of every cell. If it is lost, stop all cells and run causeway watermark end --lost.",
	}
	notBegun = advice{
		"A restore proves nothing, and ends every service account's token.",
		"Stop all cells of the site, run causeway watermark begin, and take a backup after it.",
	}
)
