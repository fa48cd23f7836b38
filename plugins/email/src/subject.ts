const LONGEST = 70;

/** The first line of the message, shortened at a word: what a mail without a subject is about. */
export function defaultSubject(text: string | null, html: string | null): string {
  const source = text ?? htmlText(html ?? '');
  const line = source
    .split(/\r\n|\r|\n/)
    .map((one) => one.replaceAll(/\s+/g, ' ').trim())
    .find((one) => one !== '');
  if (line === undefined) return '(no subject)';
  if (line.length <= LONGEST) return line;
  const cut = line.slice(0, LONGEST);
  const space = cut.lastIndexOf(' ');
  return `${(space > LONGEST / 2 ? cut.slice(0, space) : cut).toWellFormed()}…`;
}

/** Enough for a subject: the title, else the text without tags. */
function htmlText(html: string): string {
  const start = html.slice(0, 20_000);
  const title = /<title[^>]*>([^<]*)</i.exec(start)?.[1]?.trim();
  const text =
    title === undefined || title === ''
      ? start.replaceAll(/<(style|script)\b[^>]*>[^<]*<\/\1>/gi, ' ').replaceAll(/<[^>]*>/g, '\n')
      : title;
  return text
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
