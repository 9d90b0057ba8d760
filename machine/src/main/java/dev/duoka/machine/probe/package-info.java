/**
 * One read of the machine into an immutable snapshot, from the running system or from a folder of
 * captured command outputs. Nothing here changes a setting.
 *
 * <p>Read {@link dev.duoka.machine.probe.MachineSnapshot} first: what is known, and {@link
 * dev.duoka.machine.probe.Reading}: how "not readable" is said. {@link
 * dev.duoka.machine.probe.LiveProbe} and {@link dev.duoka.machine.probe.FolderProbe} make one;
 * {@link dev.duoka.machine.probe.Capture} writes the folder. GPUs from every source, be it NVML, a
 * table or a CSV file, pass through {@code GpuDraft}, so that sources can complete each other.
 */
package dev.duoka.machine.probe;
