#!/usr/bin/perl
# Has the kernel say that the lifetime of an ESP SA is over (XFRM_MSG_EXPIRE), which it then tells OpenIKED through PF_KEY:
# after the soft limit a daemon rekeys the Child SA, after the hard one it deletes it.
# Arguments: soft|hard DESTINATION SPI (8 hex digits).
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW inet_pton);

use constant { AF_NETLINK => 16, NETLINK_XFRM => 6, XFRM_MSG_EXPIRE => 0x18, NLM_F_REQUEST_ACK => 5, ESP => 50 };

my ($limit, $destination, $spi) = @ARGV;
my $family = $destination =~ /:/ ? AF_INET6 : AF_INET;
my $address = inet_pton($family, $destination) // die "no address: $destination\n";

# struct xfrm_usersa_info: selector (56 octets), destination, SPI, protocol, source and lifetimes (124), sequence number,
# request id, family, the rest; then struct xfrm_user_expire's own `hard`.
my $state = pack 'x56 a16 N C x3 x124 L L S x10', $address, hex $spi, ESP, 0, 0, $family;
my $body = $state . pack 'C x7', $limit eq 'hard' ? 1 : 0;
my $message = pack('L S S L L', 16 + length $body, XFRM_MSG_EXPIRE, NLM_F_REQUEST_ACK, 1, 0) . $body;

socket(my $netlink, AF_NETLINK, SOCK_RAW, NETLINK_XFRM) or die "netlink: $!\n";
send($netlink, $message, 0, pack 'S S L L', AF_NETLINK, 0, 0, 0) or die "netlink: $!\n";
defined recv($netlink, my $answer, 4096, 0) or die "netlink: $!\n";
my $error = -unpack 'x16 l', $answer;
if ($error) { $! = $error; die "SA $spi to $destination: $!\n" }
