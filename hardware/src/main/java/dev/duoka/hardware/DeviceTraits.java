package dev.duoka.hardware;

/**
 * What a device's name tells, by its card or at least its product line.
 *
 * @param computeCapability for example 8.0
 * @param pcieGeneration of its bus
 * @param pcieLanes that it has
 * @param p2pOverPcie whether the stock driver lets such cards reach each other's memory over PCIe
 */
public record DeviceTraits(
    String computeCapability, int pcieGeneration, int pcieLanes, boolean p2pOverPcie) {}
