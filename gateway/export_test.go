package gateway

import "context"

// Tame is what is kept of a context header.
var Tame = tame

// PromptRefusals is how many strangers a second are refused at once.
const PromptRefusals = promptRefusals

// Pace holds answers back as a Gateway does those of a flood.
type Pace struct{ pace pace }

func (p *Pace) Hold(ctx context.Context) { p.pace.hold(ctx) }
