#!/usr/bin/perl
# Control agent of a guest, its first process, or of a container. Serves frames on a raw terminal line (argument: its
# device), or on connections to a Unix socket, one at a time (arguments: listen PATH; with `once` before it, the first alone), each
#   type (1 octet) | channel (4 octets, big-endian) | length (4 octets) | payload
# From the runner: X start a command (arguments separated by NUL), C connect to a Unix socket (path), I input for a
# channel, E end of its input, K signal its process group (number as text), S tell when all that is there has been sent.
# To the runner: H ready, S it has been, O output, R error output, Q ended (wait status as text, or empty for a socket), F refused (why),
# A octets read (number as text): the runner keeps few on the way, as a full terminal line can lose its wake-up.
# When the line ends the guest halts: it must not outlive its runner. In a container all but the agent is killed.
use strict;
use warnings;
use Errno qw(EINTR EAGAIN);
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG setsid);

my $chunk = 32768;
my $listens = grep { $_ eq 'listen' } @ARGV;
my $line = $listens ? accepted($ARGV[-1]) : undef;
$listens or open($line, '+<:raw', $ARGV[0]) or halt();
pipe(my $wake, my $waker) or halt();
$_->blocking(0) for ($wake, $waker);
$SIG{CHLD} = sub { syswrite $waker, '.' };
$SIG{PIPE} = 'IGNORE';

my $select = IO::Select->new($line, $wake);
my $writing = IO::Select->new;
my (%channels, %readers, %writers, %pids);
my $pending = '';

sub accepted {
    my ($path) = @_;
    unlink $path;
    umask 077;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die "$path: $!\n";
    umask 022;
    # Nobody may ever come: the runner was killed before.
    alarm 60 if $ARGV[0] eq 'once';
    my $accepted = $listener->accept or die "$path: $!\n";
    alarm 0;
    return $accepted;
}

# Containers share the kernel of their host: nothing of that one is touched.
sub begin_again {
    kill 'KILL', -1;
    # The next runner's daemon finds its ports free.
    1 while waitpid(-1, 0) > 0;
    exit 0 if $ARGV[0] eq 'once';
    exec $^X, $0, @ARGV;
}

sub halt {
    begin_again() if $listens;
    if (open(my $sysrq, '>', '/proc/sysrq-trigger')) { syswrite $sysrq, 'o' }
    sleep 60;
    exit 1;
}

sub send_frame {
    my ($type, $id, $payload) = @_;
    my $frame = pack('a1NN', $type, $id, length $payload) . $payload;
    while (length $frame) {
        my $written = syswrite $line, $frame;
        if (!defined $written) { next if $! == EINTR || $! == EAGAIN; halt() }
        substr($frame, 0, $written, '');
    }
}

sub watch {
    my ($handle, $id, $type) = @_;
    $handle->blocking(0);
    $readers{ fileno $handle } = { handle => $handle, id => $id, type => $type };
    $select->add($handle);
}

sub unwatch {
    my ($handle) = @_;
    $select->remove($handle);
    delete $readers{ fileno $handle };
}

sub start_command {
    my ($id, @command) = @_;
    pipe(my $in_r, my $in_w) && pipe(my $out_r, my $out_w) && pipe(my $err_r, my $err_w)
        or return send_frame('F', $id, "pipe: $!");
    my $pid = fork // return send_frame('F', $id, "fork: $!");
    if (!$pid) {
        setsid();
        $SIG{PIPE} = $SIG{CHLD} = 'DEFAULT';
        POSIX::dup2(fileno $in_r, 0);
        POSIX::dup2(fileno $out_w, 1);
        POSIX::dup2(fileno $err_w, 2);
        { no warnings 'exec'; exec { $command[0] } @command }
        syswrite STDERR, "$command[0]: $!\n";
        POSIX::_exit(127);
    }
    watch($out_r, $id, 'O');
    watch($err_r, $id, 'R');
    $in_w->blocking(0);
    $channels{$id} = { pid => $pid, queue => '', input => $in_w, outputs => [$out_r, $err_r] };
    $pids{$pid} = $id;
}

sub connect_socket {
    my ($id, $path) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $path) or return send_frame('F', $id, "$path: $!");
    $channels{$id} = { queue => '', input => $socket, outputs => [$socket] };
    watch($socket, $id, 'O');
}

# Input waits in a queue where its reader is slow: a command that answers while it reads must not stop the agent.
sub flush_input {
    my ($channel) = @_;
    my $handle = $channel->{input} // return;
    while (length $channel->{queue}) {
        my $written = syswrite $handle, $channel->{queue};
        if (defined $written) { substr($channel->{queue}, 0, $written, ''); next }
        next if $! == EINTR;
        if ($! == EAGAIN) {
            $writers{ fileno $handle } = $channel;
            $writing->add($handle);
            return;
        }
        $channel->{queue} = '';
    }
    forget_writer($handle);
    return if !$channel->{ending};
    delete $channel->{input};
    if ($channel->{pid}) { close $handle } else { shutdown $handle, 1 }
}

sub forget_writer {
    my ($handle) = @_;
    $writing->remove($handle) if defined delete $writers{ fileno $handle };
}

sub handle_frame {
    my ($type, $id, $payload) = @_;
    return start_command($id, split /\0/, $payload, -1) if $type eq 'X';
    return connect_socket($id, $payload) if $type eq 'C';
    return catch_up($id) if $type eq 'S';
    my $channel = $channels{$id} // return;
    $channel->{queue} .= $payload if $type eq 'I';
    $channel->{ending} = 1 if $type eq 'E';
    flush_input($channel) if $type eq 'I' || $type eq 'E';
    kill $payload, -$channel->{pid} if $type eq 'K' && $channel->{pid};
    finish($id, '') if $type eq 'K' && !$channel->{pid};
}

# Sends what commands have written so far, and the end of those that have ended.
sub catch_up {
    my ($id) = @_;
    reap();
    for my $reader (values %readers) { for (1 .. 64) { last if drain($reader) <= 0 } }
    send_frame('S', $id, '');
}

sub read_line {
    my $read = sysread $line, $pending, $chunk, length $pending;
    if (!$read) { return if !defined $read && ($! == EINTR || $! == EAGAIN); halt() }
    send_frame('A', 0, $read);
    while (length $pending >= 9) {
        my ($type, $id, $length) = unpack 'a1NN', $pending;
        last if length $pending < 9 + $length;
        my $payload = substr $pending, 9, $length;
        substr($pending, 0, 9 + $length, '');
        handle_frame($type, $id, $payload);
    }
}

# Passes on what a handle has now: the octets read, 0 at its end, -1 when nothing is there.
sub drain {
    my ($reader) = @_;
    my $read = sysread $reader->{handle}, my ($data), $chunk;
    return $! == EINTR || $! == EAGAIN ? -1 : 0 if !defined $read;
    return 0 if !$read;
    send_frame($reader->{type}, $reader->{id}, $data);
    return $read;
}

sub finish {
    my ($id, $status) = @_;
    my $channel = delete $channels{$id} // return;
    forget_writer($channel->{input}) if $channel->{input};
    for my $handle (grep { defined fileno $_ && $readers{ fileno $_ } } @{ $channel->{outputs} }) {
        my $reader = $readers{ fileno $handle };
        # A process left behind may hold the pipe open and fill it: take what is there and not much more.
        if ($channel->{pid}) { for (1 .. 64) { last if drain($reader) <= 0 } }
        unwatch($handle);
        close $handle;
    }
    send_frame('Q', $id, $status);
}

sub reap {
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        my $status = $?;
        my $id = delete $pids{$pid};
        finish($id, $status) if defined $id;
    }
}

send_frame('H', 0, '');
while (1) {
    my ($readable, $writable) = IO::Select->select($select, $writing->count ? $writing : undef);
    for my $handle (@{ $writable // [] }) {
        my $channel = defined fileno $handle && $writers{ fileno $handle } or next;
        flush_input($channel);
    }
    for my $handle (@{ $readable // [] }) {
        if ($handle == $line) { read_line(); next }
        if ($handle == $wake) { sysread $wake, my ($ignored), 512; reap(); next }
        my $reader = defined fileno $handle && $readers{ fileno $handle } or next;
        next if drain($reader);
        unwatch($handle);
        finish($reader->{id}, '') if !$channels{ $reader->{id} }{pid};
    }
}
