#!/usr/bin/perl
# First program of a peer's container. Where the host's kernel has what the daemon needs, it becomes the agent. Elsewhere
# each runner gets a user-mode Linux kernel of its own, with the container's files and its place on the network, if the image
# has one. Arguments: those of guest-agent.pl.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw();

my $agent  = '/guest-agent.pl';
my $folder = '/opt/uml';
my $needs  = $ENV{BAKEOFF_NEEDS} // '';
# RFC 9542: for documentation.
my $unheard = '02:00:5e:00:53:fe';

sub has_esp {
    my $sa = 'src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1000';
    my $key = '0x' . '01' x 20;
    return 0 if system "ip xfrm state add $sa mode tunnel aead 'rfc4106(gcm(aes))' $key 128 2>/dev/null";
    return system("ip xfrm state delete $sa") == 0;
}

sub has_pf_key { return socket my $socket, 15, 3, 2 }

sub suffices {
    return 1 if !-x "$folder/linux.uml";
    return has_esp() && ($needs ne 'pf-key' || has_pf_key());
}

exec 'perl', $agent, @ARGV if suffices();

my $path = $ARGV[-1];
my $once = $ARGV[0] eq 'once';
unlink $path;
umask 077;
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die "$path: $!\n";
umask 022;
my ($mac, @addresses);

# The container's end of the wire is left to the guest. This kernel must neither answer on it nor take the guest's address for its own.
sub leave_wire {
    my $link = `ip -o link show dev eth0`;
    ($mac) = $link =~ m{link/ether (\S+)} or die "no eth0\n";
    for (`ip -o address show dev eth0 scope global`) { push @addresses, $1 if m{inet6? (\S+)} }
    for ('address flush dev eth0', 'link set eth0 down', "link set eth0 address $unheard",
        'link set eth0 addrgenmode none', 'link set eth0 up') { system "ip $_" }
}

sub become_kernel {
    my ($line) = @_;
    POSIX::dup2(fileno $line, 3);
    open STDIN, '<', '/dev/null';
    %ENV = (HOME => "$folder/tmp", TMPDIR => "$folder/tmp");
    $^F = 3;
    exec "$folder/linux.uml", 'mem=256M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw',
        'init=/guest-init.sh', 'con=null', 'con0=null,fd:1', 'con1=fd:3', 'seccomp=auto',
        "vec0:transport=raw,ifname=eth0,mac=$mac", 'panic=1', 'quiet', 'bakeoff_addresses=' . join(',', @addresses);
}

# Nobody may ever come: the runner was killed before.
alarm 60 if $once;
while (my $line = $listener->accept) {
    alarm 0;
    leave_wire() if !$mac;
    my $pid = $once ? 0 : fork // die "fork: $!\n";
    become_kernel($line) if !$pid;
    close $line;
    waitpid $pid, 0;
}
