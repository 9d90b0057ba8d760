package dev.duoka.machine.topology;

import java.util.Optional;

/**
 * A NUMA node.
 *
 * @param id its number; numbers need not be consecutive
 * @param cpus its CPUs, for example {@code 0-23,48-71}
 * @param memoryBytes its memory; known live only
 */
public record NumaNode(int id, Optional<String> cpus, Optional<Long> memoryBytes) {}
