"""The phrases of whole sentences that mean a command, in six languages."""

from __future__ import annotations

PHRASES: dict[tuple[str, str], str] = {
    ("unsubscribe", ""): (
        "unsubscribe from,stop following,don't follow,dont follow,do not follow,no longer follow,unfollow,"
        "dejar de seguir,deja de seguir,no seguir,ne plus suivre,arreter de suivre,arrete de suivre,ne suis plus,"
        "non seguire piu,smetti di seguire,smettere di seguire,deixar de seguir,parar de seguir,nao seguir,"
        "nicht mehr folgen,nicht folgen,nicht mehr abonnieren,abbestellen,entfolgen,togli,rimuovi,quitar,retirer,remover,"
        "i don't want to follow,don't want to follow,no quiero seguir,ya no quiero seguir,je ne veux plus suivre,"
        "je veux plus suivre,non voglio piu seguire,nao quero mais seguir,nao quero seguir,deixa de seguir,"
        "deixe de seguir,pare de seguir,para de seguir"
    ),
    ("unsubscribe", "all"): "ne plus rien suivre,ne rien suivre,nichts mehr abonnieren,nichts mehr folgen",
    ("subscribe", ""): (
        "notify me about,notify me of,notify me for,alert me about,alert me for,tell me about,inform me about,"
        "send me alerts for,send me alerts about,folge,folg,abonniere,benachrichtige mich uber,informiere mich uber,"
        "sag mir bescheid uber,avisame de,avisame del,avisame sobre,notificame de,notificame sobre,sigue,siga,"
        "previens-moi pour,previens moi pour,tiens-moi au courant de,alerte-moi pour,suis,avvisami per,avvisami su,"
        "avvisami sulla,tienimi aggiornato su,notificami,me avise sobre,avise-me sobre,me avisa do,me avisa da,"
        "acompanhar,acompanha,acompanhe,subscribe to,add,start following,keep me posted on,keep me updated on,fuge hinzu,"
        "i support,i'm a fan of,i am a fan of,im a fan of,ich bin fan von,mein verein ist,mein team ist,soy del,"
        "soy hincha de,soy hincha del,soy fan de,soy fan del,je supporte,je suis fan de,je suis supporter de,tifo,"
        "tifo per,sono tifoso di,sono tifoso del,sono tifoso della,torco pelo,torco pela,torco pro,sou torcedor do,"
        "sou do,sou da,abonnieren,folgen,hinzufugen,anade,agrega,aggiungi,adiciona,adicionar,ajoute"
    ),
    ("mute", ""): (
        "pause,pause for,pause de,pause alerts,pause all alerts,snooze,pausa,pausa de,pausa di,pausiere,pausieren,"
        "ton aus,sound off,shut up,silence,be silent,be quiet,keep quiet,stay quiet,quiet for,silencia,mutea,silencie,"
        "mets en sourdine,en sourdine,stummschalten,stumm schalten,stumm,zitto,silenzio"
    ),
    ("unmute", ""): (
        "resume,unpause,resume alerts,fortsetzen,reanudar,reprendre,riprendi,retomar,stummschaltung aufheben,"
        "nicht mehr stumm,ton an,ton ein,reactivar,reactiva,reactivar avisos,reactivar los avisos,quitar silencio,"
        "reactiver,reactive,reactiver les alertes,reactive les alertes,reactiver le son,riattiva,riattivare,"
        "riattiva gli avvisi,riattivare gli avvisi,togli il silenzio,reativar,reativa,reativar alertas,"
        "reativar os alertas,reativa os alertas,tirar do silencio,sound on,turn sound on,turn the sound on,alerts back"
    ),
    ("mute", "tonight"): "be quiet tonight,quiet tonight,silence tonight,ruhe heute nacht",
    ("quiet", ""): (
        "silent from,silent between,quiet from,quiet between,leise von,ruhe von,silencio de,silence de,silenzio dalle,"
        "silencio das,do not disturb,don't disturb,dnd,no molestar,ne pas deranger,non disturbare,nao perturbe,"
        "nicht storen,quiet hours,ruhezeit,ruhezeiten,heures calmes,ore di silenzio,horas de silencio"
    ),
    ("quiet", "night"): (
        "quiet at night,be quiet at night,night mode,nachts ruhe,nachtmodus,modo noche,mode nuit,modalita notte,modo noturno"
    ),
    ("delay", ""): (
        "wait,delay,delay by,delay alerts,delay alerts by,delay everything by,verzogerung,verzogere,verzogere um,"
        "verzogern um,warte,retraso,retraso de,retrasa,retrasar,espera,decalage,decalage de,decale,decale de,decaler,"
        "decaler de,retarde,retarder,retarde de,attends,ritardo,ritardo di,ritarda,ritarda di,ritardare,aspetta,atraso,"
        "atraso de,atrasa,atrasar,atrase,espere"
    ),
    ("spoilers", "on"): (
        "hide scores,hide the scores,hide results,no spoilers,without spoilers,keine spoiler,ohne spoiler,"
        "hide the results,don't show scores,don't show the score,don't tell me the score,ergebnisse verbergen,"
        "ergebnisse ausblenden,ergebnisse verstecken,ergebnisse nicht zeigen,sin spoilers,oculta resultados,"
        "ocultar los resultados,oculta los resultados,esconder resultados,cache les scores,cacher les resultats,"
        "cache les resultats,nascondi risultati,nascondere i risultati,nascondi i punteggi,esconder placares,"
        "esconde os placares,esconder os placares,ocultar os placares,oculta os placares,ocultar resultados,"
        "sans spoilers,sans spoiler,pas de spoilers,cacher les scores,senza spoiler,niente spoiler,nascondi i risultati,"
        "sem spoilers,sem spoiler,ocultar placares"
    ),
    ("spoilers", "off"): (
        "show scores,show the scores,show results,ergebnisse zeigen,mostrar resultados,montrer les scores,"
        "mostra i risultati,mostrar placares"
    ),
    ("subscriptions", ""): (
        "my teams,my subscriptions,what do you follow,what are you following,what am i following,what do i follow,"
        "who do i follow,which teams do i follow,what teams do i follow,welche teams habe ich abonniert,meine teams,"
        "meine abos,mis equipos,que sigo,mes equipes,que suis-je,le mie squadre,cosa seguo,meus times,minhas equipas,"
        "o que sigo"
    ),
    ("language", ""): (
        "change language,set language to,language to,speak,sprich,habla,parle,parla,fala,sprache andern,cambiar idioma,"
        "changer de langue,cambia lingua,mudar idioma"
    ),
    ("timezone", ""): (
        "what's my timezone,what's my time zone,whats my timezone,my time is wrong,the time is wrong,wrong time,"
        "zeitzone andern,uhrzeit falsch,falsche uhrzeit,cambiar zona horaria,la hora esta mal,changer de fuseau horaire,"
        "l'heure est fausse,cambia fuso orario,l'ora e sbagliata,mudar fuso horario,a hora esta errada,time zone,"
        "set timezone to,set time zone to,set my timezone to,set my time zone to,timezone to,my time zone is,"
        "my timezone is,i live in,we live in,i am in,i'm in,im in,we are in,we're in,i am from,i'm from,zeitzone,"
        "meine zeitzone ist,ich wohne in,ich lebe in,ich bin in,wir wohnen in,wir leben in,wir sind in,ich komme aus,"
        "ich wohne auf,ich bin auf,zona horaria,mi zona horaria es,vivo en,estoy en,vivimos en,estamos en,soy de,"
        "fuseau horaire,mon fuseau horaire est,j'habite,j'habite a,j'habite en,j'habite au,j'habite aux,je vis a,"
        "je vis en,je vis au,je suis a,je suis en,je suis au,nous sommes en,on est en,fuso orario,il mio fuso orario e,"
        "vivo a,vivo in,abito a,abito in,sono a,sono in,siamo in,fuso horario,meu fuso horario e,moro em,moro no,moro na,"
        "vivo em,vivo no,vivo na,estou em,estou no,estou na,estamos em,estamos no,sou de"
    ),
    ("help", ""): (
        "what is this,what are you,who are you,was ist das,was bist du,wer bist du,que es esto,quien eres,c'est quoi,"
        "qui es-tu,cos'e questo,chi sei,o que e isso,quem e voce,"
        "what can you do,what do you do,help me,how does this work,how does it work,how do i use this,how do you work,"
        "was kannst du,wie funktioniert das,wie geht das,hilf mir,que puedes hacer,como funciona,como funciona esto,"
        "ayudame,que sais-tu faire,que peux-tu faire,comment ca marche,aide-moi,cosa sai fare,cosa puoi fare,"
        "come funziona,aiutami,o que voce faz,o que voce sabe fazer,como isso funciona,me ajuda,me ajude"
    ),
    ("privacy", ""): (
        "delete my data,erase my data,delete all my data,my data,losche meine daten,meine daten loschen,meine daten,"
        "borra mis datos,borrar mis datos,mis datos,supprime mes donnees,supprimer mes donnees,efface mes donnees,"
        "mes donnees,cancella i miei dati,elimina i miei dati,i miei dati,apaga os meus dados,apague meus dados,"
        "apagar meus dados,meus dados"
    ),
    ("test", ""): ("is this working,are you working,does this work,send a test,send me a test,test alert,funktioniert das"),
    ("settings", ""): "show settings,all settings,alle einstellungen",
    ("alerts", "all"): (
        "all alerts,every alert,everything on,alle meldungen,todos los avisos,toutes les alertes,tutti gli avvisi,"
        "todos os alertas"
    ),
    ("alerts", "none"): (
        "nothing,nichts,nada,rien,niente,no alerts,all alerts off,keine meldungen,sin avisos,aucune alerte,nessun avviso,"
        "sem alertas"
    ),
    ("live", ""): (
        "any news on,any news about,any news from,news about,what's new with,gibt es neues von,neues von,noticias del,"
        "noticias de,des nouvelles de,novita su,novidades do,what's the score,whats the score,what is the score,"
        "what's the score of,what's live,whats live,who is playing now,who's playing now,games now,matches now,"
        "live games,live matches,wie steht es,wie steht's,welche spiele laufen,welche spiele laufen gerade,"
        "was lauft gerade,wer spielt gerade,laufende spiele,como van,como va,partidos en vivo,partidos ahora,"
        "que partidos hay ahora,quel score,quel est le score,c'est quoi le score,ou en est,matchs en direct,"
        "matchs en cours,quels matchs en ce moment,quanto stanno,quanto sta,quanto fa,come sta andando,partite in corso,"
        "partite adesso,quanto esta,quanto ta,como esta o jogo,jogos ao vivo,jogos agora"
    ),
    ("today", ""): (
        "today's games,today's matches,today's fixtures,todays games,todays matches,heutige spiele,what's on,whats on,"
        "what is on,who plays,who is playing,welche spiele,que partidos hay,quels matchs,che partite ci sono,"
        "que jogos tem"
    ),
}
"""By command and its first argument, the phrases that begin or end a request, as `normalise` writes them. What else stands in the
request are the other arguments."""
