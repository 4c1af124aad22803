"""What people call the places and times of the time zones: cities, countries and regions, in the six languages.

CLDR, through Babel, has the names of countries and of the cities that zones are named after. Here stands what it has not.
"""

from __future__ import annotations

CITIES_BY_ZONE = {
    "Europe/London": "Manchester, Liverpool, Birmingham, Leeds, Newcastle, Nottingham, Glasgow, Edinburgh, Cardiff, Belfast",
    "Europe/Madrid": "Barcelona, Seville, Sevilla, Valencia, Bilbao, Zaragoza, Málaga",
    "Europe/Paris": "Marseille, Lyon, Lille, Bordeaux, Nice, Nantes, Toulouse, Strasbourg, Straßburg",
    "Europe/Berlin": "Munich, München, Múnich, Monaco di Baviera, Dortmund, Hamburg, Hambourg, Amburgo, Cologne, Köln, Colonia, "
    "Frankfurt, Francfort, Francoforte, Stuttgart, Leipzig, Bremen, Düsseldorf",
    "Europe/Rome": "Milan, Milano, Mailand, Milán, Milão, Naples, Napoli, Neapel, Nápoles, Turin, Torino, Turín, Turim, Bologna, "
    "Genoa, Genova, Genua, Florence, Firenze, Florenz, Florencia, Florença, Venice, Venezia",
    "Europe/Lisbon": "Porto, Oporto, Braga, Lisboa",
    "Europe/Amsterdam": "Rotterdam, Eindhoven, The Hague, Den Haag",
    "Europe/Brussels": "Antwerp, Antwerpen, Bruges, Brugge, Gent, Liège",
    "Europe/Istanbul": "Ankara, Izmir, Trabzon",
    "Europe/Vienna": "Salzburg, Graz, Wien, Linz, Innsbruck",
    "Europe/Zurich": "Geneva, Genf, Genève, Ginebra, Ginevra, Genebra, Basel, Bâle, Bern, Lausanne",
    "America/New_York": "NYC, Boston, Miami, Atlanta, Washington, Philadelphia, Orlando, Nueva York, East Coast",
    "America/Chicago": "Dallas, Houston, Austin, Minneapolis, Nashville, New Orleans",
    "America/Denver": "Salt Lake City",
    "America/Los_Angeles": "Seattle, Portland, San Francisco, San Diego, Las Vegas, West Coast",
    "America/Toronto": "Montreal, Ottawa",
    "America/Mexico_City": "Guadalajara, Puebla",
    "America/Sao_Paulo": "Rio, Rio de Janeiro, Brasília, Belo Horizonte, Porto Alegre, Curitiba",
    "America/Bahia": "Salvador",
    "America/Bogota": "Medellín, Cali, Barranquilla",
    "America/Argentina/Buenos_Aires": "Rosario, La Plata",
    "America/Guayaquil": "Quito",
    "Asia/Kolkata": "Mumbai, Delhi, New Delhi, Chennai, Bangalore, Goa",
    "Asia/Riyadh": "Jeddah, Mecca",
    "Asia/Dubai": "Sharjah, Abu Dhabi",
    "Asia/Tokyo": "Osaka, Yokohama, Kobe",
    "Asia/Shanghai": "Beijing, Peking, Guangzhou, Shenzhen",
    "Asia/Ho_Chi_Minh": "Hanoi, Saigon",
    "Africa/Johannesburg": "Durban, Pretoria, Cape Town, Kapstadt, Ciudad del Cabo, Le Cap, Città del Capo, Cidade do Cabo",
    "Africa/Lagos": "Abuja",
    "Africa/Casablanca": "Rabat, Marrakesh",
}
"""By zone, cities known from football that no zone is named after."""

MAIN_ZONES = {
    "US": "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage "
    "Pacific/Honolulu",
    "CA": "America/Toronto America/Vancouver America/Edmonton America/Winnipeg America/Halifax America/St_Johns",
    "MX": "America/Mexico_City America/Cancun America/Tijuana America/Hermosillo America/Mazatlan",
    "BR": "America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha",
    "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago",
    "EC": "America/Guayaquil",
    "AU": "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth",
    "NZ": "Pacific/Auckland",
    "RU": "Europe/Moscow Europe/Kaliningrad Europe/Samara Asia/Yekaterinburg Asia/Novosibirsk Asia/Krasnoyarsk Asia/Irkutsk "
    "Asia/Vladivostok Asia/Kamchatka",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid Atlantic/Canary",
    "PT": "Europe/Lisbon Atlantic/Azores Atlantic/Madeira",
    "UA": "Europe/Kyiv",
    "CN": "Asia/Shanghai",
    "KZ": "Asia/Almaty",
    "UZ": "Asia/Tashkent",
    "MY": "Asia/Kuala_Lumpur",
    "CY": "Asia/Nicosia",
    "MN": "Asia/Ulaanbaatar",
}
"""By territory, the zones to offer if its other zones differ from these only in the past."""

TERRITORY_NAMES = {
    "GB": "UK, U.K., Great Britain, Britain, Großbritannien, Gran Bretaña, Grande-Bretagne, Gran Bretagna, Grã-Bretanha",
    "US": "US, U.S., USA, U.S.A., America, EEUU, EE. UU., EUA, Amerika",
    "AE": "UAE, Emirates, Emirate, Emiratos",
    "NL": "Holland, Holanda, Hollande, Olanda",
    "CZ": "Czech Republic, Tschechische Republik, República Checa, République tchèque, Repubblica Ceca, República Tcheca",
    "SA": "KSA",
    "ZA": "RSA",
}
"""Names of countries that people use and CLDR does not have."""

REGION_NAMES = {
    # Germany
    "Europe/Berlin": """
        Bayern, Bavaria, Baviera, Bavière, Baden-Württemberg, Bade-Wurtemberg, Hessen, Hesse, Assia, Hessia,
        Nordrhein-Westfalen, NRW, North Rhine-Westphalia, Renania del Norte-Westfalia, Rhénanie-du-Nord-Westphalie,
        Renania Settentrionale-Vestfalia, Renânia do Norte-Vestfália, Niedersachsen, Lower Saxony, Baja Sajonia, Basse-Saxe,
        Bassa Sassonia, Baixa Saxônia, Sachsen, Saxony, Sajonia, Saxe, Sassonia, Saxônia, Sachsen-Anhalt, Saxony-Anhalt,
        Sajonia-Anhalt, Saxe-Anhalt, Sassonia-Anhalt, Rheinland-Pfalz, Rhineland-Palatinate, Renania-Palatinado,
        Rhénanie-Palatinat, Renania-Palatinato, Saarland, Sarre, Sarland, Schleswig-Holstein, Brandenburg, Brandeburgo,
        Brandebourg, Mecklenburg-Vorpommern, Mecklenburg, Mecklemburgo, Mecklembourg, Thüringen, Thuringia, Turingia, Thuringe,
        Turíngia, Franken, Franconia, Schwaben, Swabia, Ruhrgebiet, Ruhrpott, Ruhr
    """,
    # Spain
    "Europe/Madrid": """
        Cataluña, Catalunya, Catalonia, Katalonien, Catalogne, Catalogna, Catalunha, Andalucía, Andalusia, Andalusien,
        Andalousie, Andaluzia, País Vasco, Euskadi, Basque Country, Baskenland, Pays basque, Paesi Baschi, País Basco, Galicia,
        Galicien, Galice, Galizia, Galiza, Asturias, Asturien, Asturies, Asturie, Aragón, Aragonien, Aragon, Aragona, Navarra,
        Navarre, Castilla, Castilla y León, Castilla-La Mancha, Castile, Kastilien, Castille, Castiglia, Castela, Extremadura,
        Estrémadure, Estremadura, Murcia, Murcie, Cantabria, Kantabrien, Cantabrie, La Rioja, Comunidad Valenciana, Valencian
        Community, Baleares, Balearic Islands, Balearen, Baléares, Baleari, Mallorca, Majorca, Majorque, Maiorca, Ibiza, Menorca
    """,
    "Atlantic/Canary": """
        Canarias, Islas Canarias, Canary Islands, Canaries, Kanaren, Kanarische Inseln, Îles Canaries, Canarie, Isole Canarie,
        Canárias, Ilhas Canárias, Tenerife, Teneriffa, Gran Canaria, Las Palmas, Lanzarote, Fuerteventura
    """,
    # Italy
    "Europe/Rome": """
        Sicilia, Sicily, Sizilien, Sicile, Sicília, Sardegna, Sardinia, Sardinien, Sardaigne, Cerdeña, Sardenha, Toscana,
        Tuscany, Toskana, Toscane, Lombardia, Lombardy, Lombardei, Lombardie, Lombardía, Piemonte, Piedmont, Piemont, Piamonte,
        Veneto, Venetien, Vénétie, Véneto, Lazio, Latium, Lacio, Lácio, Campania, Kampanien, Campanie, Campânia, Puglia, Apulia,
        Apulien, Pouilles, Calabria, Kalabrien, Calabre, Calábria, Liguria, Ligurien, Ligurie, Ligúria, Emilia-Romagna,
        Émilie-Romagne, Emília-Romanha, Umbria, Umbrien, Ombrie, Úmbria, Marche, Marken, Marcas, Abruzzo, Abruzzen, Abruzzes,
        Abruzos, Molise, Basilicata, Friuli, Friuli Venezia Giulia, Friaul, Frioul, Trentino, Südtirol, South Tyrol, Alto Adige,
        Trentino-Alto Adige, Tyrol du Sud, Valle d'Aosta, Aosta Valley, Aostatal
    """,
    # France
    "Europe/Paris": """
        Bretagne, Brittany, Bretaña, Bretagna, Bretanha, Normandie, Normandy, Normandía, Normandia, Provence, Provenza, Provença,
        PACA, Côte d'Azur, Costa Azul, Costa Azzurra, French Riviera, Alsace, Elsass, Alsacia, Alsazia, Alsácia, Lorraine,
        Lothringen, Lorena, Corse, Corsica, Korsika, Córcega, Córsega, Île-de-France, Bourgogne, Burgundy, Burgund, Borgoña,
        Borgogna, Borgonha, Aquitaine, Nouvelle-Aquitaine, Aquitania, Occitanie, Occitania, Okzitanien, Languedoc, Champagne,
        Picardie, Picardy, Picardía, Savoie, Savoy, Savoyen, Saboya, Auvergne, Auvernia, Limousin, Franche-Comté, Grand Est,
        Hauts-de-France, Pays de la Loire, Centre-Val de Loire, Auvergne-Rhône-Alpes
    """,
    # The United Kingdom; its nations are known from football.
    "Europe/London": """
        Cornwall, Yorkshire, Lancashire, Merseyside, Kent, Essex, Sussex, Devon, Midlands, West Midlands, Tyneside, Highlands,
        Ulster
    """,
    "Europe/Lisbon": "Algarve, Alentejo, Minho, Trás-os-Montes, Ribatejo",
    "Atlantic/Azores": "Azoren, Azores, Açores, Azzorre",
    "Atlantic/Madeira": "Madère, Madera, Funchal",
    "Europe/Brussels": """
        Flandern, Flanders, Vlaanderen, Flandes, Flandre, Fiandre, Flandres, Wallonie, Wallonien, Wallonia, Valonia, Vallonia,
        Valônia
    """,
    "Europe/Amsterdam": "Friesland, Limburg, Noord-Brabant, North Brabant, Zeeland, Utrecht, Groningen, Gelderland",
    "Europe/Vienna": """
        Tirol, Tyrol, Tirolo, Steiermark, Styria, Estiria, Styrie, Stiria, Kärnten, Carinthia, Carintia, Carinthie, Carinzia,
        Vorarlberg, Burgenland, Oberösterreich, Upper Austria, Niederösterreich, Lower Austria
    """,
    "Europe/Zurich": "Tessin, Ticino, Wallis, Valais, Vallese, Graubünden, Grisons, Grigioni, Waadt, Vaud, Aargau, Argovie",
    "Europe/Athens": "Kreta, Crete, Creta, Crète, Korfu, Corfu, Corfou, Rhodos, Rhodes, Rodi, Rodas",
    "Europe/Copenhagen": "Jütland, Jutland, Jutlandia, Seeland",
    "Europe/Warsaw": "Schlesien, Silesia, Silésie, Slesia, Silésia, Masuren, Mazury",
    "Europe/Bucharest": "Siebenbürgen, Transylvania, Transilvania, Transylvanie, Transilvânia",
    "Europe/Prague": "Böhmen, Bohemia, Bohême, Boemia, Mähren, Moravia, Moravie",
    "Europe/Zagreb": "Dalmatien, Dalmatia, Dalmacia, Dalmatie, Dalmazia, Dalmácia, Istrien, Istria, Istrie, Ístria",
    "Europe/Moscow": "Tatarstan, Tartaristán, Tschetschenien, Chechnya, Chechenia, Tchétchénie, Dagestan",
    "Asia/Novosibirsk Asia/Omsk Asia/Krasnoyarsk Asia/Irkutsk": "Sibirien, Siberia, Sibérie, Sibéria",
    "Europe/Stockholm Europe/Oslo Europe/Copenhagen Europe/Helsinki": """
        Skandinavien, Scandinavia, Escandinavia, Scandinavie, Escandinávia
    """,
    "Europe/Helsinki Europe/Stockholm Europe/Oslo": "Lappland, Lapland, Laponia, Laponie, Lapponia, Lapônia",
    # The United States. Where a state has two zones, the one of most of its people comes first.
    "America/New_York": """
        Connecticut, Delaware, Maine, Maryland, Massachusetts, New Hampshire, New Jersey, Nueva Jersey, Nova Jersey, New York
        State, North Carolina, Carolina del Norte, Caroline du Nord, Carolina del Nord, Carolina do Norte, South Carolina,
        Carolina del Sur, Caroline du Sud, Carolina del Sud, Carolina do Sul, Ohio, Pennsylvania, Pensilvania, Pennsylvanie,
        Pensilvânia, Rhode Island, Vermont, Virginia, Virginie, Virgínia, West Virginia, Virginia Occidental,
        Virginie-Occidentale, Washington DC, DC, New England, Nueva Inglaterra, Nouvelle-Angleterre, Georgia, Géorgie, Geórgia
    """,
    "America/Chicago": """
        Alabama, Arkansas, Illinois, Iowa, Louisiana, Luisiana, Louisiane, Minnesota, Mississippi, Misisipi, Missouri, Misuri,
        Oklahoma, Wisconsin, Midwest
    """,
    "America/Denver": "Colorado, Montana, New Mexico, Nuevo México, Nouveau-Mexique, Nuovo Messico, Novo México, Utah, Wyoming",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "California, Kalifornien, Californie, Califórnia, Nevada, Washington, Washington State",
    "Pacific/Honolulu": "Hawaii, Hawái, Hawaï, Havaí, Hawai",
    "America/Anchorage America/Adak": "Alaska",
    "America/Chicago America/Denver": """
        Texas, Tejas, Nebraska, North Dakota, Dakota del Norte, Dakota du Nord, Dakota do Norte, South Dakota, Dakota del Sur,
        Dakota du Sud, Dakota do Sul, Kansas
    """,
    "America/New_York America/Chicago": "Florida, Floride, Flórida, Indiana, Kentucky, Michigan",
    "America/Chicago America/New_York": "Tennessee, Tennesse",
    "America/Los_Angeles America/Denver": "Oregon, Oregón, Orégon",
    "America/Boise America/Los_Angeles": "Idaho",
    # Canada
    "America/Toronto America/Winnipeg": "Ontario, Ontário",
    "America/Toronto": "Québec, Quebec",
    "America/Vancouver America/Edmonton": """
        British Columbia, British-Kolumbien, Britisch-Kolumbien, Columbia Británica, Colombie-Britannique, Columbia Britannica,
        Colúmbia Britânica
    """,
    "America/Edmonton": "Alberta",
    "America/Regina": "Saskatchewan",
    "America/Winnipeg": "Manitoba",
    "America/Halifax": """
        Nova Scotia, Neuschottland, Nueva Escocia, Nouvelle-Écosse, Nuova Scozia, Nova Escócia, New Brunswick, Neubraunschweig,
        Nuevo Brunswick, Nouveau-Brunswick, Nuovo Brunswick, Prince Edward Island, PEI
    """,
    "America/St_Johns America/Halifax": "Newfoundland, Neufundland, Terranova, Terre-Neuve, Labrador",
    # Mexico
    "America/Mexico_City": """
        CDMX, Jalisco, Nuevo León, Yucatán, Chiapas, Oaxaca, Veracruz, Guanajuato, Michoacán, Querétaro, Guerrero, Tabasco,
        Hidalgo, Morelos, San Luis Potosí
    """,
    "America/Tijuana": "Baja California, Niederkalifornien, Basse-Californie",
    "America/Cancun": "Quintana Roo, Riviera Maya",
    "America/Hermosillo": "Sonora",
    "America/Mazatlan": "Sinaloa, Nayarit, Baja California Sur",
    # Brazil
    "America/Sao_Paulo": """
        Minas Gerais, Paraná, Santa Catarina, Rio Grande do Sul, Espírito Santo, Goiás, Distrito Federal
    """,
    "America/Fortaleza": "Ceará, Maranhão, Piauí, Rio Grande do Norte, Paraíba",
    "America/Recife America/Noronha": "Pernambuco",
    "America/Maceio": "Alagoas, Sergipe",
    "America/Belem": "Pará, Amapá",
    "America/Manaus America/Rio_Branco": "Amazonas, Amazônia, Amazonia, Amazonie",
    "America/Rio_Branco": "Acre",
    "America/Cuiaba": "Mato Grosso",
    "America/Campo_Grande": "Mato Grosso do Sul",
    "America/Porto_Velho": "Rondônia",
    "America/Boa_Vista": "Roraima",
    "America/Araguaina": "Tocantins",
    # South America
    "America/Argentina/Buenos_Aires America/Punta_Arenas": "Patagonia, Patagonien, Patagonie, Patagônia",
    "America/Argentina/Buenos_Aires": "Santa Fe, Entre Ríos, Misiones, Chaco, Neuquén, Río Negro",
    "America/Bogota": "Antioquia, Valle del Cauca, Atlántico",
    "Pacific/Easter": "Isla de Pascua, Easter Island, Osterinsel, Île de Pâques, Isola di Pasqua, Ilha de Páscoa, Rapa Nui",
    "Pacific/Galapagos": "Galápagos, Galapagosinseln",
    # Australia
    "Australia/Sydney": """
        New South Wales, NSW, Neusüdwales, Nueva Gales del Sur, Nouvelle-Galles du Sud, Nuovo Galles del Sud, Nova Gales do Sul,
        Canberra, ACT
    """,
    "Australia/Melbourne": "Victoria",
    "Australia/Brisbane": "Queensland",
    "Australia/Perth": "Western Australia, Westaustralien",
    "Australia/Adelaide": "South Australia, Südaustralien",
    "Australia/Darwin": "Northern Territory",
    "Australia/Hobart": "Tasmania, Tasmanien, Tasmanie, Tasmânia",
    # Asia and Africa
    "Asia/Kolkata": "Kerala, Tamil Nadu, Karnataka, Maharashtra, Gujarat, Bengal, West Bengal, Assam",
    "Asia/Kolkata Asia/Karachi": "Punjab",
    "Asia/Karachi": "Sindh",
    "Asia/Makassar": "Bali, Lombok",
    "Asia/Jakarta": "Java, Sumatra",
    "Asia/Shanghai": "Tibet, Guangdong, Sichuan",
    "Asia/Tokyo": "Hokkaido, Okinawa",
    "Africa/Dar_es_Salaam": "Zanzibar, Sansibar, Zanzíbar",
    "Africa/Johannesburg": "Western Cape, KwaZulu-Natal, Gauteng",
}
"""By zone, or zones with the likeliest first: regions, states and islands, as they are called in the six languages."""

TIME_NAMES = {
    "America/New_York": "EST, EDT, Eastern, Eastern Time, hora del este, heure de l'Est, horário do leste",
    "America/Chicago": "CST, CDT, Central Time",
    "America/Denver": "MST, MDT, Mountain Time",
    "America/Los_Angeles": "PST, PDT, Pacific, Pacific Time, hora del Pacífico, heure du Pacifique",
    "America/Halifax": "AST, ADT, Atlantic Time",
    "Pacific/Honolulu": "HST, Hawaiian Time",
    "America/Sao_Paulo": "BRT, horário de Brasília",
    "Europe/London": "BST, British Time, UK time",
    "Europe/Berlin": "MEZ, MESZ, mitteleuropäische Zeit",
    "CET": """
        CET, CEST, Central European Time, hora central europea, heure d'Europe centrale, ora dell'Europa centrale,
        horário da Europa central
    """,
    "EET": "EET, EEST, OEZ, Eastern European Time",
    "WET": "WET, Western European Time",
    "Europe/Moscow": "MSK",
    "Asia/Kolkata": "IST, Indian time",
    "Asia/Tokyo": "JST",
    "Asia/Jakarta": "WIB",
    "Australia/Sydney": "AEST, AEDT",
    "Africa/Lagos": "WAT",
    "Africa/Nairobi": "EAT",
    "Africa/Johannesburg": "SAST",
}
"""By zone: what its time is called. Who says EST lives by New York's clocks, also in summer."""
