/**
 * The run file: one YAML file that says which model is trained, on what, and how.
 *
 * <p>Read {@code RunConfig} first (its components are the sections of the file), then {@code
 * RunFile}, which reads and writes it. {@code BatchPlan} is the arithmetic of the batch.
 */
package dev.duoka.train.config;
