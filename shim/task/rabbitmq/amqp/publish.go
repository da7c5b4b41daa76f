package amqp

import "context"

// Publish puts a message into a queue, and waits until that has it.
func (c *Conn) Publish(ctx context.Context, queue string, s *Said, body []byte) error {
	return c.lost(c.within(ctx, func() error {
		said := s.appendTo(nil, len(body))
		if len(said) > c.frameMax-overhead {
			return &Closed{Code: 311, Text: "what is said of the message is too long", Channel: publishing}
		}
		if err := c.toPublish(); err != nil {
			return err
		}
		c.returned = ""
		if err := c.send(queue, said, body); err != nil {
			return err
		}
		c.published++
		for {
			which, args, err := c.await(publishing, basicAck, basicNack)
			switch {
			case err != nil:
				return err
			case args.number(8) < c.published: // an earlier one's
			case which == basicNack:
				return &Closed{Code: 506, Text: "the queue " + queue + " takes no message now", Channel: publishing}
			case c.returned != "":
				return &Closed{Code: 404, Text: c.returned + ": no queue " + queue, Channel: publishing}
			default:
				return nil
			}
		}
	}))
}

func (c *Conn) send(queue string, said, body []byte) error {
	const mandatory = 1 // one that no queue gets comes back
	out := appendMethod(nil, publishing, basicPublish, append(appendShort([]byte{0, 0, 0}, queue), mandatory))
	out = appendFrame(out, frameHeader, publishing, said)
	for most := c.frameMax - overhead; len(body) > 0; {
		n := min(most, len(body))
		out = appendFrame(out, frameBody, publishing, body[:n])
		body = body[n:]
		if err := c.write(out); err != nil {
			return err
		}
		out = out[:0]
	}
	if len(out) == 0 {
		return nil
	}
	return c.write(out)
}

// toPublish opens the channel on which messages are published, and confirmed.
func (c *Conn) toPublish() error {
	if c.publishing {
		return nil
	}
	if err := c.open(publishing); err != nil {
		return err
	}
	if _, _, err := c.call(publishing, confirmSelect, []byte{0}, confirmSelectOK); err != nil {
		return err
	}
	c.publishing, c.published = true, 0
	return nil
}
