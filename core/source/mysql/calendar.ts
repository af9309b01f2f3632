const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  return month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : monthDays[month - 1]!;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar, year 1 or later. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + (yearOfEra >> 2) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** The real date nearest to one that MySQL can hold and a calendar cannot: '0000-00-00', '2000-00-01', '2000-02-31'. */
export function nearestDate(year: number, month: number, day: number): [year: number, month: number, day: number] {
  if (year < 1) return [1, 1, 1];
  if (month < 1) return [year, 1, 1];
  return [year, month, Math.min(Math.max(day, 1), daysInMonth(year, month))];
}
