package dev.duoka.doctor.check;

/**
 * What a planned run needs of the machine.
 *
 * @param hostBytes bytes of host memory
 * @param why what they are for
 * @param gpus GPUs, one for each rank; 0 for a run on the CPU
 */
public record RunDemand(long hostBytes, String why, int gpus) {}
