/**
 * Where the time of a step goes: {@link dev.duoka.measure.profile.StepProfile} sees its parts,
 * {@link dev.duoka.measure.profile.PerfettoTrace} writes a file to look at.
 */
package dev.duoka.measure.profile;
