package dev.duoka.doctor.nccl;

/**
 * A variable that is, or may be, worth setting on a machine.
 *
 * @param name the variable
 * @param value the value to set
 * @param reason why on this machine
 * @param caution what to mind
 * @param source where this is from
 */
public record NcclSetting(
    String name, String value, String reason, String caution, String source) {}
