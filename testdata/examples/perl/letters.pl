# Counts the letters of a text: letters.pl < TEXT
use strict;
use warnings;

$SIG{TERM} = sub { print STDERR "stopped, and nothing is written\n"; exit 143 };
print STDERR "reading\n";

my %count;
while (my $line = <STDIN>) {
    if ($line =~ /[^\x00-\x7f]/) {
        $! = 0;  # else die exits with the number of whatever error came last
        die "a letter that isn't ASCII";
    }
    $count{lc $_}++ for $line =~ /[a-z]/gi;
}
print "$_ $count{$_}\n" for sort keys %count;
