/**
 * What is connected to what in a machine: GPUs, the link of every pair, NVLink domains, PCIe
 * switches, NUMA nodes and network cards, with the bandwidth to expect and the placement of a
 * model's parallel axes that follows.
 *
 * <p>Read {@link dev.duoka.machine.topology.Topology} first: it is the value that everything else
 * here makes or reads. {@link dev.duoka.machine.topology.TopologyReader} makes it from the text of
 * {@code nvidia-smi topo -m}, {@link dev.duoka.machine.topology.LiveTopology} from the machine
 * itself; {@link dev.duoka.machine.topology.Bandwidths}, {@link
 * dev.duoka.machine.topology.Placement} and the drawings read it.
 */
package dev.duoka.machine.topology;
