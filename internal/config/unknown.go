package config

// unknown says that name is none of the known settings, and which was meant.
func unknown[V any](name string, known map[string]V) string {
	best, distance := "", 3
	for k := range known {
		if d := edits(name, k); d < distance || d == distance && best != "" && k < best {
			best, distance = k, d
		}
	}
	if best == "" {
		return "there is no such setting"
	}
	return "there is no such setting; did you mean " + best + "?"
}

// edits is how many letters must be added, removed or replaced to make a into b.
func edits(a, b string) int {
	if len(a) > 64 { // nobody meant that
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
