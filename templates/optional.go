package templates

import "text/template/parse"

// optionalEnv lets `env "X" | default "y"` and `default "y" (env "X")` work
// although env is an error when X isn't set: text/template runs env first, so the
// call is exchanged for one that gives an empty text.
func optionalEnv(p *parse.PipeNode) {
	for i, c := range p.Cmds {
		if isCall(c, "default") {
			if i > 0 && isCall(p.Cmds[i-1], "env") {
				makeOptional(p.Cmds[i-1])
			}
			for _, arg := range c.Args[1:] {
				if inner, ok := arg.(*parse.PipeNode); ok && len(inner.Cmds) == 1 && isCall(inner.Cmds[0], "env") {
					makeOptional(inner.Cmds[0])
				}
			}
		}
	}
}

func isCall(c *parse.CommandNode, name string) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && id.Ident == name
}

func makeOptional(c *parse.CommandNode) {
	c.Args[0].(*parse.IdentifierNode).Ident = envOptional
}
