/**
 * The version of the published policy that is in force, as entries state it: the day it was posted.
 */
export const POLICY = '2012-01-16';
