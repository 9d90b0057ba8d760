/**
 * A Dockerfile, a compose file, a Slurm script and a Kubernetes job for a run, on an image that
 * fits the driver. Every line is written together with what it is for, so that the companion note
 * explains all of them.
 *
 * <p>Read {@link dev.duoka.doctor.container.ContainerPlan} first (what is known of the run), then
 * {@link dev.duoka.doctor.container.ContainerFiles}; {@link
 * dev.duoka.doctor.container.ContainerLint} says what such files must never do.
 */
package dev.duoka.doctor.container;
