-- IKE and ESP in TCP (RFC 9329) for Wireshark and tshark, which know the frames of Cisco's older way alone:
--   wireshark -X lua_script:iketcp.lua capture.pcap
local iketcp = Proto("iketcp", "TCP Encapsulation of IKE and IPsec Packets (RFC 9329)")
local prefix = ProtoField.string("iketcp.prefix", "Stream prefix")
local length = ProtoField.uint16("iketcp.length", "Length")
local marker = ProtoField.bytes("iketcp.marker", "Non-ESP marker")
local keepalive = ProtoField.bytes("iketcp.keepalive", "NAT keepalive")
iketcp.fields = { prefix, length, marker, keepalive }

local isakmp, esp = Dissector.get("isakmp"), Dissector.get("esp")

local function frame(buffer, pinfo, tree)
  local size = buffer:len()
  local part = tree:add(iketcp, buffer())
  part:add(length, buffer(0, 2))
  if size < 6 then
    if size == 3 then part:add(keepalive, buffer(2, 1)) end
    return size
  end
  if buffer(2, 4):uint() ~= 0 then
    esp:call(buffer(2):tvb(), pinfo, tree)
  else
    part:add(marker, buffer(2, 4))
    if size > 6 then isakmp:call(buffer(6):tvb(), pinfo, tree) end
  end
  return size
end

local function framed(buffer)
  return math.max(buffer(0, 2):uint(), 2)
end

function iketcp.dissector(buffer, pinfo, tree)
  local start = 0
  if buffer:len() >= 6 and buffer(0, 6):string() == "IKETCP" then
    tree:add(iketcp, buffer(0, 6)):add(prefix, buffer(0, 6))
    start = 6
  end
  pinfo.cols.protocol = "IKETCP"
  if buffer:len() > start then dissect_tcp_pdus(buffer(start):tvb(), tree, 2, function(b) return framed(b) end, frame) end
  return buffer:len()
end

DissectorTable.get("tcp.port"):add(4500, iketcp)
iketcp:register_heuristic("tcp", function(buffer, pinfo, tree)
  if buffer:len() < 6 or buffer(0, 6):string() ~= "IKETCP" then return false end
  pinfo.conversation = iketcp
  iketcp.dissector(buffer, pinfo, tree)
  return true
end)
