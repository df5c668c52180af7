package refusal

// Shown is a refusal as the API shows it.
type Shown struct {
	RequestID    string            `json:"requestId"`
	Time         string            `json:"time"`
	Organization Ref               `json:"organization"`
	Actor        ShownActor        `json:"actor"`
	Address      string            `json:"address"`
	Method       string            `json:"method"`
	Route        string            `json:"route"`
	Status       int               `json:"status"`
	Code         string            `json:"code"`
	Message      string            `json:"message"`
	Facts        map[string]string `json:"facts"`
}

// Ref names an organization. Name is empty when it is gone.
type Ref struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// ShownActor is who asked: a journal.Actor.
type ShownActor struct {
	Kind         string `json:"kind"`
	ID           string `json:"id"`
	Name         string `json:"name"`
	Organization *Ref   `json:"organization"`
}
