package dev.duoka.hardware;

/**
 * The share of the slower card's PCIe rate that copies between two cards reach.
 *
 * @param low the least share
 * @param high the largest share
 * @param mostGbs GB/s that no such way exceeds
 * @param measured whether somebody measured it
 */
public record PciePath(double low, double high, double mostGbs, boolean measured) {}
