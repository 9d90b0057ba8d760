/**
 * What this machine has and what of it is used: the report behind {@code duoka env}.
 *
 * <p>Read {@link dev.duoka.machine.environment.EnvironmentReport} first; the other records are its
 * parts, each collected by its own class.
 */
package dev.duoka.machine.environment;
