package dev.duoka.machine.doctor;

/**
 * What a planned run needs of the host.
 *
 * @param hostBytes bytes of host memory
 * @param why what they are for
 */
public record Plan(long hostBytes, String why) {}
