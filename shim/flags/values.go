package flags

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// model is kong's, which reads values as nth's flags mean them: kong's own way takes 010
// for 8, changes bytes that aren't UTF-8, and takes a second for every 40 KB of a list.
func model(target any, options ...kong.Option) (*kong.Kong, error) {
	number, text, list := kong.MapperFunc(number), kong.MapperFunc(text), kong.MapperFunc(list)
	return kong.New(target, append(options, kong.DefaultEnvars(EnvPrefix), kong.KindMapper(reflect.String, text), kong.KindMapper(reflect.Slice, list),
		kong.KindMapper(reflect.Int, number), kong.KindMapper(reflect.Int32, number), kong.KindMapper(reflect.Int64, number))...)
}

// given takes the value of the flag that is read.
func given(ctx *kong.DecodeContext) (string, error) {
	value, ok := ctx.Scan.Pop().Value.(string)
	if !ok {
		return "", errors.New("its value is missing")
	}
	return value, nil
}

func text(ctx *kong.DecodeContext, target reflect.Value) error {
	value, err := given(ctx)
	target.SetString(value)
	return err
}

func number(ctx *kong.DecodeContext, target reflect.Value) error {
	value, err := given(ctx)
	if err != nil {
		return err
	}
	if word := ctx.Value.Tag.Get("word"); word != "" && value == word {
		target.SetInt(math.MinInt64) // which the flag's owner knows it by
		return nil
	}
	return setNumber(target, value)
}

// setNumber reads base 10 alone, in which 0100 is a hundred.
func setNumber(target reflect.Value, value string) error {
	n, err := strconv.ParseInt(value, 10, target.Type().Bits())
	if err != nil {
		return fmt.Errorf("expected a whole number in base 10, of %d bits at most, but got %q", target.Type().Bits(), value)
	}
	target.SetInt(n)
	return nil
}

// list adds to a list what a flag or a variable says.
func list(ctx *kong.DecodeContext, target reflect.Value) error {
	value, err := given(ctx)
	if err != nil {
		return err
	}
	// kong reads the arguments into values of its own, and what stands in for them (a
	// variable, a default) right into the field.
	own := target.Addr().Pointer() != ctx.Value.Target.Addr().Pointer()
	return addTo(target, value, ctx.Value.Tag.Sep, own)
}

// addTo adds values to a list.
func addTo(target reflect.Value, value string, sep rune, own bool) error {
	for _, part := range values(value, sep, own) {
		element := reflect.New(target.Type().Elem()).Elem()
		switch element.Kind() {
		case reflect.String:
			element.SetString(part)
		default:
			if err := setNumber(element, part); err != nil {
				return err
			}
		}
		target.Set(reflect.Append(target, element))
	}
	return nil
}

// lineSep is the separator of lists whose values may hold anything but a line break.
const lineSep = '\n'

// values gives the values of a list. A flag of the kind that is given again for each value
// has one, whatever is in it; the variable that stands for it has one a line, where CRLF
// ends a line too. Nothing at all is no value.
func values(value string, sep rune, own bool) []string {
	switch {
	case value == "":
		return nil
	case sep != lineSep:
		return strings.Split(strings.TrimSuffix(value, string(sep)), string(sep))
	case own:
		return []string{value}
	}
	return lines(value)
}

func lines(value string) (list []string) {
	for line := range strings.SplitSeq(value, "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			list = append(list, line)
		}
	}
	return list
}
