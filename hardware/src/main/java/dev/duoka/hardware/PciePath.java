package dev.duoka.hardware;

/**
 * What a way between two cards keeps of the slower one's PCIe rate.
 *
 * @param low the least share
 * @param high the largest share
 * @param mostGbs GB/s that no such way exceeds
 * @param measured whether somebody measured it
 */
public record PciePath(double low, double high, double mostGbs, boolean measured) {}
