/**
 * NCCL's environment variables: which are worth setting on a machine, and what those that are set
 * do there.
 *
 * <p>Read {@link dev.duoka.doctor.nccl.NcclAdvice} for the first and {@link
 * dev.duoka.doctor.nccl.NcclExplainer} for the second; {@link dev.duoka.doctor.nccl.NcclCatalog}
 * holds the data of {@code nccl-variables.yaml}.
 */
package dev.duoka.doctor.nccl;
